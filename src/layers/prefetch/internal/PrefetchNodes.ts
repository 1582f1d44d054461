/** The reference of no node. */
export const nobody = 0

/**
 * The ids that are known, by number. Bounded: a new id takes the place of one that was not asked for lately (CLOCK, with
 * up to three lives for those asked for often). A reference carries the generation of its place, so that one to a
 * former tenant is known as such.
 */
export class PrefetchNodes {
  readonly index = new Map<string, number>()
  readonly ids: Array<string> = []
  /** How often each was asked for; all are halved together when one is full. */
  readonly asked: Uint16Array
  readonly #generation: Uint8Array
  readonly #lives: Uint8Array
  #hand = 0
  /** Sum of `asked`, halvings applied. */
  total = 0

  constructor(
    readonly capacity: number,
    private readonly recycled: (node: number) => void
  ) {
    this.asked = new Uint16Array(capacity)
    this.#generation = new Uint8Array(capacity)
    this.#lives = new Uint8Array(capacity)
  }

  get bytes(): number {
    return this.capacity * 4
  }

  refOf(node: number): number {
    return (this.#generation[node]! << placeBits) | (node + 1)
  }

  /** The place of a reference; -1 when someone else lives there now. */
  nodeOf(ref: number): number {
    const node = (ref & placeMask) - 1
    return node >= 0 && this.#generation[node] === ref >>> placeBits ? node : -1
  }

  /** The place of an id, which gets one if it has none. */
  enter(id: string): number {
    const known = this.index.get(id)
    if (known !== undefined) {
      if (this.#lives[known]! < mostLives) this.#lives[known]!++
      return known
    }
    const node = this.ids.length < this.capacity ? this.ids.length : this.#vacate()
    this.index.set(id, node)
    this.ids[node] = id
    this.#lives[node] = 0
    return node
  }

  ask(node: number): void {
    if (this.asked[node] === 0xffff) {
      this.total = 0
      for (let i = 0; i < this.ids.length; i++) {
        this.asked[i] = this.asked[i]! >>> 1
        this.total += this.asked[i]!
      }
    }
    this.asked[node]!++
    this.total++
  }

  #vacate(): number {
    while (this.#lives[this.#hand]! > 0) {
      this.#lives[this.#hand]!--
      this.#hand = (this.#hand + 1) % this.capacity
    }
    const node = this.#hand
    this.#hand = (this.#hand + 1) % this.capacity
    this.index.delete(this.ids[node]!)
    this.total -= this.asked[node]!
    this.asked[node] = 0
    this.#generation[node]!++
    this.recycled(node)
    return node
  }
}

/** A place takes 16 bits, a generation 8: together a small integer to every engine. */
const placeBits = 16
const placeMask = 0xffff
const mostLives = 3
