const arity = 4

/**
 * Slots ordered by the moment they expire, in a 4-ary heap that knows where each slot lies, so that one can be moved
 * or taken out. Unlike a timer wheel it has no clock of its own: it is exact to the millisecond and a clock that jumps
 * cannot upset it. Times mostly arrive in rising order, which costs one comparison; a slot that never expires costs none.
 */
export class ExpiryHeap {
  /** Milliseconds since the epoch, by slot; `Infinity` for never. */
  at: Float64Array
  #slots: Int32Array
  #places: Int32Array
  #size = 0

  constructor(slots: number) {
    this.at = new Float64Array(slots)
    this.#slots = new Int32Array(slots)
    this.#places = new Int32Array(slots).fill(-1)
  }

  grow(slots: number): void {
    const { at } = this
    this.at = new Float64Array(slots)
    this.at.set(at)
    const heap = this.#slots
    this.#slots = new Int32Array(slots)
    this.#slots.set(heap)
    const places = this.#places
    this.#places = new Int32Array(slots).fill(-1)
    this.#places.set(places)
  }

  set(slot: number, at: number): void {
    if (at === Number.POSITIVE_INFINITY) {
      this.remove(slot)
      this.at[slot] = at
      return
    }
    const place = this.#places[slot]!
    const before = this.at[slot]!
    this.at[slot] = at
    if (place === -1) this.#rise(slot, this.#size++)
    else if (at < before) this.#rise(slot, place)
    else this.#sink(slot, place)
  }

  remove(slot: number): void {
    const place = this.#places[slot]!
    if (place === -1) return
    this.#places[slot] = -1
    const last = this.#slots[--this.#size]!
    if (last === slot) return
    if (this.at[last]! < this.at[slot]!) this.#rise(last, place)
    else this.#sink(last, place)
  }

  /** The slot that expired first, or -1 when none has by `now`. */
  due(now: number): number {
    if (this.#size === 0) return -1
    const first = this.#slots[0]!
    return this.at[first]! <= now ? first : -1
  }

  #rise(slot: number, from: number): void {
    const at = this.at[slot]!
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 2
      const parent = this.#slots[above]!
      if (this.at[parent]! <= at) break
      this.#put(parent, place)
      place = above
    }
    this.#put(slot, place)
  }

  #sink(slot: number, from: number): void {
    const at = this.at[slot]!
    let place = from
    for (;;) {
      const first = place * arity + 1
      if (first >= this.#size) break
      const end = Math.min(first + arity, this.#size)
      let least = first
      for (let child = first + 1; child < end; child++) {
        if (this.at[this.#slots[child]!]! < this.at[this.#slots[least]!]!) least = child
      }
      const child = this.#slots[least]!
      if (this.at[child]! >= at) break
      this.#put(child, place)
      place = least
    }
    this.#put(slot, place)
  }

  #put(slot: number, place: number): void {
    this.#slots[place] = slot
    this.#places[slot] = place
  }
}
