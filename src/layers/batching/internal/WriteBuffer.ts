import * as Duration from "effect/Duration"
import type { BufferStats, StampedWrite, WriteMany } from "../../../services/batching/Batcher.ts"
import type { Collection } from "../../../services/store/model/Collection.ts"
import { compareStamps } from "../../../services/store/model/Entry.ts"
import { bytesOf } from "../../../services/store/model/EntryBytes.ts"

/** KV takes one put a second to a key. Milliseconds. */
const putInterval = 1000

/** Buffered writes that are flushed whatever their age: at least so many, at most, and bytes. */
const leastFull = 64
const mostFull = 1000
const fullBytes = 1024 * 1024

/** After how long a flush is given up for dead, its isolate's request having ended under it. Milliseconds. */
export const bufferFlushMillis = 30_000

const firstPause = 1000
const longestPause = 60_000

interface Held {
  readonly write: StampedWrite
  /** Since when the key is dirty. */
  readonly since: number
  readonly notBefore: number
}

/**
 * What one collection has buffered. It is due when its oldest write has waited `flushEvery`; when the writes come so
 * slowly that none more is expected in that time, waiting would gain nothing, and it is due at once, no more often
 * than that. It is full at twice the writes that are expected in that time.
 */
export class WriteBuffer {
  readonly #held = new Map<string, Held>()
  readonly #putAt = new Map<string, number>()
  #flying = new Map<string, StampedWrite>()
  #flyingSince: number | undefined
  #bytes = 0
  #intervalMillis = Number.POSITIVE_INFINITY
  #arrivedAt: number | undefined
  #flushedAt = Number.NEGATIVE_INFINITY
  #pause = 0
  #pausedUntil = 0

  constructor(
    readonly collection: Collection,
    public via: WriteMany
  ) {}

  get size(): number {
    return this.#held.size + this.#flying.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether it overtakes an older one. */
  add(write: StampedWrite, now: number): boolean {
    if (this.#arrivedAt !== undefined) {
      const interval = now - this.#arrivedAt
      this.#intervalMillis = Number.isFinite(this.#intervalMillis)
        ? this.#intervalMillis + (interval - this.#intervalMillis) / 8
        : interval
    }
    this.#arrivedAt = now
    return this.#hold(write, now, (this.#putAt.get(write.address.id) ?? Number.NEGATIVE_INFINITY) + putInterval)
  }

  pending(id: string): StampedWrite | undefined {
    return this.#held.get(id)?.write ?? this.#flying.get(id)
  }

  /** What the store of record holds by now, or what is not to be written any more. */
  drop(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    this.#bytes -= bytesOfWrite(held.write)
  }

  /** Forgets all; how many entries it would have left. */
  clear(): number {
    const writes = new Map([...this.#flying, ...[...this.#held].map(([id, { write }]) => [id, write] as const)])
    const left = [...writes.values()].filter(({ entry }) => entry !== undefined).length
    this.#held.clear()
    this.#flying.clear()
    this.#bytes = 0
    return left
  }

  isFull(): boolean {
    const expected = (2 * this.#every(1)) / this.#intervalMillis
    const full = Math.min(mostFull, Math.max(leastFull, Math.ceil(expected)))
    return this.#held.size >= full || this.#bytes >= fullBytes
  }

  /** When it is due: milliseconds since the epoch. `stretch`: by how much longer to wait. */
  dueAt(stretch: number): number {
    const oldest = this.#held.values().next().value
    if (oldest === undefined) return Number.POSITIVE_INFINITY
    const every = this.#every(stretch)
    const due = this.isFull()
      ? Number.NEGATIVE_INFINITY
      : this.#intervalMillis > every
        ? Math.max(oldest.since, this.#flushedAt + every)
        : oldest.since + every
    return Math.max(due, this.#pausedUntil, oldest.notBefore)
  }

  /** Takes off what may be written now; nothing while another flush is under way. */
  takeOff(now: number): ReadonlyArray<StampedWrite> {
    if (this.#flyingSince !== undefined) {
      if (now - this.#flyingSince < bufferFlushMillis) return []
      this.#giveBack([...this.#flying.values()], now, now)
    }
    const taken: Array<StampedWrite> = []
    for (const [id, { notBefore, write }] of this.#held) {
      if (notBefore > now) continue
      this.#held.delete(id)
      this.#bytes -= bytesOfWrite(write)
      this.#flying.set(id, write)
      taken.push(write)
    }
    if (taken.length > 0) this.#flyingSince = now
    return taken
  }

  /** Ends a flush: what was refused is held again, unless a later write to its key has come since. */
  land(
    taken: ReadonlyArray<StampedWrite>,
    refused: ReadonlyArray<{ readonly write: StampedWrite; readonly rateLimited: boolean }>,
    now: number
  ): void {
    this.#flyingSince = undefined
    this.#flushedAt = now
    for (const [id, at] of this.#putAt) if (now - at >= putInterval) this.#putAt.delete(id)
    const again = new Set(refused.map(({ write }) => write))
    for (const write of taken) {
      if (again.has(write) || this.#flying.get(write.address.id) !== write) continue
      this.#flying.delete(write.address.id)
      this.#putAt.set(write.address.id, now)
    }
    for (const { rateLimited, write } of refused) {
      if (this.#flying.get(write.address.id) === write)
        this.#giveBack([write], now, rateLimited ? now + putInterval : 0)
    }
    const isFailing = refused.some(({ rateLimited }) => !rateLimited)
    this.#pause = isFailing ? Math.min(longestPause, this.#pause * 2 || firstPause) : 0
    this.#pausedUntil = isFailing ? now + this.#pause : 0
  }

  stats(): Omit<BufferStats, "writtenAt"> {
    return {
      buffered: this.size,
      bytes: this.#bytes,
      oldestAt: this.#held.values().next().value?.since ?? this.#flyingSince
    }
  }

  #every(stretch: number): number {
    return Duration.toMillis(this.collection.policy.flushEvery) * stretch
  }

  #giveBack(writes: ReadonlyArray<StampedWrite>, now: number, notBefore: number): void {
    for (const write of writes) {
      this.#flying.delete(write.address.id)
      this.#hold(write, now, notBefore)
    }
  }

  #hold(write: StampedWrite, now: number, notBefore: number): boolean {
    const { id } = write.address
    const held = this.#held.get(id)
    if (held !== undefined && compareStamps(held.write.stamp, write.stamp) >= 0) return true
    if (held !== undefined) this.#bytes -= bytesOfWrite(held.write)
    this.#bytes += bytesOfWrite(write)
    const earlier = held === undefined ? Number.NEGATIVE_INFINITY : held.notBefore
    this.#held.set(id, { write, since: held?.since ?? now, notBefore: Math.max(notBefore, earlier) })
    return held !== undefined
  }
}

const bytesOfWrite = ({ address, entry }: StampedWrite): number => address.id.length + 64 + bytesOf(entry)
