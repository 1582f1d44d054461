import { nobody } from "./PrefetchNodes.ts"

/**
 * What followed after each context, the most frequent few, with counts. A newcomer to a full row wears down the least of
 * its members first (Misra and Gries 1982). A row whose counts are full is halved, so that old habits fade.
 */
export class Successors {
  readonly next: Uint32Array
  readonly count: Uint8Array
  /** How often each context occurred, halvings applied. */
  readonly total: Uint16Array

  constructor(
    readonly contexts: number,
    readonly width: number
  ) {
    this.next = new Uint32Array(contexts * width)
    this.count = new Uint8Array(contexts * width)
    this.total = new Uint16Array(contexts)
  }

  get bytes(): number {
    return this.contexts * (5 * this.width + 2)
  }

  occur(context: number): void {
    if (this.total[context] === 0xffff) this.#halve(context)
    this.total[context]!++
  }

  bump(context: number, ref: number): void {
    const { count, next, width } = this
    const from = context * width
    let least = from
    for (let at = from; at < from + width; at++) {
      if (next[at] === ref) {
        if (count[at] === 0xff) this.#halve(context)
        count[at]!++
        return
      }
      if (count[at]! < count[least]!) least = at
    }
    if (count[least]! <= 1) {
      next[least] = ref
      count[least] = 1
    } else count[least]!--
  }

  clear(context: number): void {
    const from = context * this.width
    this.next.fill(nobody, from, from + this.width)
    this.count.fill(0, from, from + this.width)
    this.total[context] = 0
  }

  #halve(context: number): void {
    this.total[context] = this.total[context]! >>> 1
    const from = context * this.width
    for (let at = from; at < from + this.width; at++) this.count[at] = this.count[at]! >>> 1
  }
}
