import type { Observation } from "../../../services/store/model/Entry.ts"
import type { SiblingStats } from "../../../services/tiers/MemoryTier.ts"
import { SiblingShare } from "./SiblingShare.ts"
import { none, SlotTable } from "./SlotTable.ts"

const recency = 0

/** What is known of a sibling that was asked for. */
export interface Promoted {
  readonly observation: Observation
  readonly bytes: number
  readonly retainUntil: number
}

/** The siblings of a memory tier, those last offered first, within their share of its bytes. */
export class SiblingRegion {
  readonly #table = new SlotTable(1)
  readonly #share = new SiblingShare()
  readonly #groups: Array<string> = []
  readonly #capacityBytes: number
  readonly #others: () => { readonly bytes: number; readonly hits: number }
  readonly #counts = { offered: 0, hits: 0, wasted: 0, declined: 0 }
  #othersHits = 0

  /** @param others the entries that were asked for: the bytes they take, and how often they were hit until now */
  constructor(capacityBytes: number, others: () => { readonly bytes: number; readonly hits: number }) {
    this.#capacityBytes = capacityBytes
    this.#others = others
  }

  get bytes(): number {
    return this.#table.listBytes[recency]!
  }

  get entries(): number {
    return this.#table.index.size
  }

  peek(id: string, now: number): Observation | undefined {
    const slot = this.#table.index.get(id)
    return slot === undefined || this.#table.expiry.at[slot]! <= now ? undefined : this.#table.observations[slot]
  }

  offer(id: string, observation: Observation, bytes: number, retainUntil: number, group: string, now: number): void {
    const table = this.#table
    const known = table.index.get(id)
    if (known === undefined && !this.#share.wants(group)) {
      this.#counts.declined++
      return
    }
    if (!(bytes > 0 && bytes <= this.#maxBytes() && retainUntil > now)) {
      this.drop(id)
      return
    }
    const slot = known ?? table.add(id)
    if (known === undefined) this.#counts.offered++
    else table.unlink(slot)
    table.fill(slot, observation, bytes, retainUntil, 1)
    table.push(slot, recency)
    this.#groups[slot] = group
    if (this.bytes > this.#maxBytes()) this.settle(now)
  }

  /** The sibling that is asked for, which leaves the region. */
  take(id: string, now: number): Promoted | undefined {
    const { bytes, expiry, index, observations } = this.#table
    const slot = index.get(id)
    if (slot === undefined) return undefined
    const lives = expiry.at[slot]! > now
    const promoted = { observation: observations[slot]!, bytes: bytes[slot]!, retainUntil: expiry.at[slot]! }
    this.#leave(slot, lives)
    return lives ? promoted : undefined
  }

  drop(id: string): void {
    const slot = this.#table.index.get(id)
    if (slot !== undefined) this.#leave(slot, false)
  }

  clear(prefix: string): void {
    for (const [id, slot] of this.#table.index) if (id.startsWith(prefix)) this.#leave(slot, false)
  }

  /** Lets go of what has expired, and then of the oldest, until the rest is within its share. */
  settle(now: number): void {
    for (let due = this.#table.expiry.due(now); due !== none; due = this.#table.expiry.due(now)) this.#leave(due, false)
    while (this.bytes > this.#maxBytes()) this.#leave(this.#table.last(recency), false)
  }

  stats(): SiblingStats {
    return { entries: this.entries, bytes: this.bytes, capacityBytes: this.#maxBytes(), ...this.#counts }
  }

  #maxBytes(): number {
    return Math.floor(this.#capacityBytes * this.#share.share)
  }

  #leave(slot: number, hit: boolean): void {
    const { bytes } = this
    const others = this.#others()
    this.#table.remove(slot)
    this.#counts[hit ? "hits" : "wasted"]++
    if (this.#share.resolve(this.#groups[slot]!, hit, bytes, others.bytes, others.hits - this.#othersHits)) {
      this.#othersHits = others.hits
    }
  }
}
