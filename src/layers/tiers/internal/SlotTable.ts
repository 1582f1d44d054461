import type { Observation } from "../../../services/store/model/Entry.ts"
import { ExpiryHeap } from "./ExpiryHeap.ts"

/**
 * What a memory tier holds, as rows ("slots") of parallel arrays found by id. Every slot is on one of a few circular
 * lists, from the most recent to the least; list number `n` begins and ends at slot `n`, which holds nothing itself.
 */
export class SlotTable {
  readonly index = new Map<string, number>()
  readonly expiry = new ExpiryHeap(initialSlots)
  /** Bytes on each list. */
  readonly listBytes: Float64Array
  readonly observations: Array<Observation | undefined> = []
  bytes = new Float64Array(initialSlots)
  /** KV operations that losing the entry would cost. */
  cost = new Float32Array(initialSlots)
  hash = new Int32Array(initialSlots)
  list = new Uint8Array(initialSlots)
  next = new Int32Array(initialSlots)
  previous = new Int32Array(initialSlots)
  #ids: Array<string> = []
  #used: number
  #free = none

  constructor(lists: number) {
    this.listBytes = new Float64Array(lists)
    this.#used = lists
    for (let list = 0; list < lists; list++) {
      this.next[list] = this.previous[list] = list
      this.#ids.push("")
      this.observations.push(undefined)
    }
  }

  /** A slot for a new id, destined for the first list but on none yet. */
  add(id: string): number {
    let slot = this.#free
    if (slot === none) {
      slot = this.#used++
      if (slot === this.next.length) this.#grow(slot * 2)
    } else this.#free = this.next[slot]!
    this.#ids[slot] = id
    this.list[slot] = 0
    this.index.set(id, slot)
    return slot
  }

  /** Writes what a slot holds; it must be on no list. */
  fill(slot: number, observation: Observation, bytes: number, retainUntil: number, cost: number): void {
    this.observations[slot] = observation
    this.bytes[slot] = Math.ceil(bytes)
    this.cost[slot] = cost > leastCost ? Math.min(cost, greatestCost) : leastCost
    this.expiry.set(slot, retainUntil)
  }

  remove(slot: number): void {
    this.unlink(slot)
    this.expiry.remove(slot)
    this.index.delete(this.#ids[slot]!)
    this.#ids[slot] = ""
    this.observations[slot] = undefined
    this.next[slot] = this.#free
    this.#free = slot
  }

  /** The least recent slot of a list; the list's own number when it is empty. */
  last(list: number): number {
    return this.previous[list]!
  }

  /** Puts a slot that is on no list at a list's recent end. */
  push(slot: number, list: number): void {
    this.#insert(slot, list, list, this.next[list]!)
  }

  /** The same at its least recent end. */
  append(slot: number, list: number): void {
    this.#insert(slot, list, this.previous[list]!, list)
  }

  unlink(slot: number): void {
    const next = this.next[slot]!
    const previous = this.previous[slot]!
    this.next[previous] = next
    this.previous[next] = previous
    const list = this.list[slot]!
    this.listBytes[list] = this.listBytes[list]! - this.bytes[slot]!
  }

  /** Moves a slot to the recent end of a list. */
  move(slot: number, list: number): void {
    this.unlink(slot)
    this.push(slot, list)
  }

  #insert(slot: number, list: number, previous: number, next: number): void {
    this.next[slot] = next
    this.previous[slot] = previous
    this.next[previous] = slot
    this.previous[next] = slot
    this.list[slot] = list
    this.listBytes[list] = this.listBytes[list]! + this.bytes[slot]!
  }

  #grow(slots: number): void {
    this.expiry.grow(slots)
    this.bytes = grown(this.bytes, new Float64Array(slots))
    this.cost = grown(this.cost, new Float32Array(slots))
    this.hash = grown(this.hash, new Int32Array(slots))
    this.list = grown(this.list, new Uint8Array(slots))
    this.next = grown(this.next, new Int32Array(slots))
    this.previous = grown(this.previous, new Int32Array(slots))
  }
}

/** No slot. */
export const none = -1

const initialSlots = 64
/** What costs nothing to lose still competes by frequency with its like. */
const leastCost = 1 / 64
const greatestCost = 1e6

const grown = <A extends { set(from: A): void }>(from: A, into: A): A => {
  into.set(from)
  return into
}
