import { dayOf } from "../../../services/base/model/UtcDay.ts"
import { nobody } from "./PrefetchNodes.ts"

/** Milliseconds of a quarter of an hour, and how many of them a day has. */
export const quarterMillis = 900_000
export const quarters = 96

/** Ids that are remembered for one quarter. */
export const perQuarter = 32

/** Days after which the counts of a quarter are halved, so that a habit that ended is forgotten. */
const mostDays = 14

/** On how many days each id was asked for in each quarter of an hour (UTC): who asked, and how often, is all one. */
export class DayPattern {
  readonly refs = new Uint32Array(quarters * perQuarter)
  readonly days = new Uint8Array(quarters * perQuarter)
  readonly #latest = new Uint32Array(quarters * perQuarter)
  /** Days on which anything was asked for in the quarter. */
  readonly observed = new Uint8Array(quarters)
  readonly #observedLast = new Uint32Array(quarters)

  get bytes(): number {
    return quarters * (9 * perQuarter + 5)
  }

  note(ref: number, now: number): void {
    const quarter = quarterOf(now)
    const today = dayOf(now)
    const from = quarter * perQuarter
    if (this.#observedLast[quarter] !== today) {
      this.#observedLast[quarter] = today
      if (++this.observed[quarter]! > mostDays) this.#halve(quarter)
    }
    let least = from
    for (let at = from; at < from + perQuarter; at++) {
      if (this.refs[at] === ref) {
        if (this.#latest[at] !== today) {
          this.#latest[at] = today
          this.days[at]!++
        }
        return
      }
      if (this.days[at]! < this.days[least]!) least = at
    }
    if (this.days[least] !== 0 && (this.days[least]! > 1 || this.#latest[least] === today)) return
    this.refs[least] = ref
    this.days[least] = 1
    this.#latest[least] = today
  }

  /** References asked for in a quarter on half of its days, and on two at least. */
  usual(quarter: number): ReadonlyArray<number> {
    const found: Array<number> = []
    const needed = Math.max(2, this.observed[quarter]! / 2)
    for (let at = quarter * perQuarter; at < (quarter + 1) * perQuarter; at++) {
      if (this.refs[at] !== nobody && this.days[at]! >= needed) found.push(this.refs[at]!)
    }
    return found
  }

  /** Takes another account of a quarter in, where it has the more days. */
  merge(quarter: number, observed: number, entries: ReadonlyArray<readonly [ref: number, days: number]>): void {
    if (observed <= this.observed[quarter]!) return
    const from = quarter * perQuarter
    this.observed[quarter] = observed
    this.refs.fill(nobody, from, from + perQuarter)
    this.days.fill(0, from, from + perQuarter)
    for (const [index, [ref, days]] of entries.slice(0, perQuarter).entries()) {
      this.refs[from + index] = ref
      this.days[from + index] = Math.min(days, observed)
    }
  }

  #halve(quarter: number): void {
    this.observed[quarter] = this.observed[quarter]! >>> 1
    for (let at = quarter * perQuarter; at < (quarter + 1) * perQuarter; at++) this.days[at] = this.days[at]! >>> 1
  }
}

export const quarterOf = (now: number): number => Math.floor(now / quarterMillis) % quarters
