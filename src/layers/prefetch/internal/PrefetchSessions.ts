import { horizon } from "../../../services/prefetch/Prefetch.ts"
import { nobody } from "./PrefetchNodes.ts"

/** What became of a prediction: its class, whether it was handed out, and whether its session asked for it. */
export type Settle = (kind: number, used: boolean, issued: boolean) => void

/** Ids that a session is remembered by, the latest first. */
export const remembered = 16

/** Predictions that a session may have outstanding. */
export const outstanding = 24

/**
 * What every session asked for last, and what was predicted to it, in rows of typed arrays. Bounded: a new session takes
 * the row of one that has ended or asked only once, else of the next in turn.
 */
export class PrefetchSessions {
  readonly index = new Map<number, number>()
  /** References, the latest first; `nobody` past the end. */
  readonly history: Uint32Array
  /** References of what was predicted; `nobody` for a free place. */
  readonly predicted: Uint32Array
  readonly kind: Uint8Array
  readonly issued: Uint8Array
  /** Which request of its session a prediction was made at, and how many there were. */
  readonly madeAt: Uint32Array
  readonly requests: Uint32Array
  readonly #name: Float64Array
  readonly #lastAt: Float64Array
  #hand = 0

  /** @param gap milliseconds without a request after which a session has ended */
  constructor(
    readonly capacity: number,
    readonly gap: number,
    private readonly settle: Settle
  ) {
    this.history = new Uint32Array(capacity * remembered)
    this.predicted = new Uint32Array(capacity * outstanding)
    this.kind = new Uint8Array(capacity * outstanding)
    this.issued = new Uint8Array(capacity * outstanding)
    this.madeAt = new Uint32Array(capacity * outstanding)
    this.requests = new Uint32Array(capacity)
    this.#name = new Float64Array(capacity)
    this.#lastAt = new Float64Array(capacity)
  }

  get bytes(): number {
    return this.capacity * (4 * remembered + 10 * outstanding + 20)
  }

  /** The row of a session, begun anew when it had ended. */
  enter(name: number, now: number): number {
    let row = this.index.get(name)
    if (row === undefined) {
      row = this.index.size < this.capacity ? this.index.size : this.#vacate(now)
      this.index.set(name, row)
      this.#name[row] = name
    } else if (now - this.#lastAt[row]! > this.gap) this.#end(row)
    this.#lastAt[row] = now
    this.requests[row]!++
    return row
  }

  /** The places of what is outstanding are settled that the request answers, or that have had their time. */
  answer(row: number, ref: number): void {
    const now = this.requests[row]!
    const from = row * outstanding
    for (let at = from; at < from + outstanding; at++) {
      if (this.predicted[at] === nobody) continue
      if (this.predicted[at] === ref) this.#close(at, true)
      else if (now - this.madeAt[at]! >= horizon) this.#close(at, false)
    }
  }

  /** The place of an outstanding prediction; -1 for none. */
  find(row: number, ref: number): number {
    const from = row * outstanding
    for (let at = from; at < from + outstanding; at++) if (this.predicted[at] === ref) return at
    return -1
  }

  /** Keeps a prediction, in place of the oldest when there are too many. */
  predict(row: number, ref: number, kind: number): void {
    const from = row * outstanding
    let oldest = from
    for (let at = from; at < from + outstanding; at++) {
      if (this.predicted[at] === nobody) {
        oldest = at
        break
      }
      if (this.madeAt[at]! < this.madeAt[oldest]!) oldest = at
    }
    if (this.predicted[oldest] !== nobody) this.#close(oldest, false)
    this.predicted[oldest] = ref
    this.kind[oldest] = kind
    this.issued[oldest] = 0
    this.madeAt[oldest] = this.requests[row]!
  }

  /** Whether the session asked for it lately. */
  knows(row: number, ref: number): boolean {
    const from = row * remembered
    for (let at = from; at < from + remembered; at++) if (this.history[at] === ref) return true
    return false
  }

  push(row: number, ref: number): void {
    const from = row * remembered
    this.history.copyWithin(from + 1, from, from + remembered - 1)
    this.history[from] = ref
  }

  #close(at: number, used: boolean): void {
    this.settle(this.kind[at]!, used, this.issued[at] === 1)
    this.predicted[at] = nobody
  }

  #end(row: number): void {
    const from = row * outstanding
    for (let at = from; at < from + outstanding; at++) if (this.predicted[at] !== nobody) this.#close(at, false)
    this.history.fill(nobody, row * remembered, (row + 1) * remembered)
    this.requests[row] = 0
  }

  #vacate(now: number): number {
    for (let tried = 0; tried < 8; tried++) {
      if (now - this.#lastAt[this.#hand]! > this.gap || this.requests[this.#hand]! <= 1) break
      this.#hand = (this.#hand + 1) % this.capacity
    }
    const row = this.#hand
    this.#hand = (this.#hand + 1) % this.capacity
    this.#end(row)
    this.index.delete(this.#name[row]!)
    return row
  }
}
