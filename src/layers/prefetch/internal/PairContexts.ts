import { Successors } from "./Successors.ts"

/** Places that a pair may have. */
const ways = 4

/**
 * Contexts of two ids in order, in an open-addressing table: of the four places that a pair may have it takes the one
 * that occurred least often.
 */
export class PairContexts {
  readonly older: Uint32Array
  readonly newer: Uint32Array
  readonly successors: Successors

  constructor(readonly capacity: number) {
    this.older = new Uint32Array(capacity)
    this.newer = new Uint32Array(capacity)
    this.successors = new Successors(capacity, 4)
  }

  get bytes(): number {
    return this.capacity * 8 + this.successors.bytes
  }

  /** The context of a pair; -1 when it is not known. */
  find(older: number, newer: number): number {
    const first = this.#first(older, newer)
    for (let at = first; at < first + ways; at++) {
      if (this.older[at] === older && this.newer[at] === newer) return at
    }
    return -1
  }

  /** The context of a pair that occurs now: a full table is worn down by newcomers. */
  enter(older: number, newer: number): number {
    const found = this.find(older, newer)
    if (found !== -1) return found
    const { total } = this.successors
    const least = this.#least(older, newer)
    if (total[least]! <= 1) return this.#replace(least, older, newer)
    total[least]!--
    return -1
  }

  /** The context of a pair that is known to have occurred so often; -1 when all of its places are worth more. */
  place(older: number, newer: number, total: number): number {
    const found = this.find(older, newer)
    if (found !== -1) return found
    const least = this.#least(older, newer)
    return this.successors.total[least]! < total ? this.#replace(least, older, newer) : -1
  }

  #replace(at: number, older: number, newer: number): number {
    this.older[at] = older
    this.newer[at] = newer
    this.successors.clear(at)
    return at
  }

  #least(older: number, newer: number): number {
    const { total } = this.successors
    const first = this.#first(older, newer)
    let least = first
    for (let at = first + 1; at < first + ways; at++) if (total[at]! < total[least]!) least = at
    return least
  }

  #first(older: number, newer: number): number {
    const mixed = Math.imul(Math.imul(older, 0x9e3779b1) ^ newer, 0x85ebca6b)
    return (((mixed ^ (mixed >>> 15)) >>> 0) % (this.capacity / ways)) * ways
  }
}
