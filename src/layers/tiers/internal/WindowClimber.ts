/**
 * Finds, by trying, how much of a cache recency should have. After each sample of accesses the window's share moves a
 * step; it turns round when the hit ratio has fallen clearly below the best since the last turn, and then steps more
 * carefully; a leap of the hit ratio means the workload has changed, and boldness returns. Where no share does better
 * than another it wanders from end to end, which costs nothing and finds the cliff if there is one.
 *
 * After Einziger, Eytan, Friedman and Manes, Adaptive Software Cache Management (Middleware 2018).
 */
export class WindowClimber {
  /** The window's share of the capacity. */
  share = initialShare
  #accesses = 0
  #hits = 0
  #ratio = Number.NaN
  #best = 0
  #step = boldStep
  #direction = -1

  /** Counts one access to a cache of so many entries; true when `share` has moved. */
  record(hit: boolean, entries: number): boolean {
    if (hit) this.#hits++
    if (++this.#accesses < minimumSample || this.#accesses < entries * accessesPerEntry) return false
    const ratio = this.#hits / this.#accesses
    this.#accesses = this.#hits = 0
    this.#learn(ratio)
    this.#ratio = ratio
    this.#move()
    return true
  }

  #learn(ratio: number): void {
    if (Math.abs(ratio - this.#ratio) >= leap) {
      this.#step = boldStep
      this.#best = ratio
      if (ratio < this.#ratio) this.#direction = -this.#direction
    } else if (ratio < this.#best - tolerance) {
      this.#step = Math.max(leastStep, this.#step * caution)
      this.#best = ratio
      this.#direction = -this.#direction
    } else this.#best = Math.max(this.#best, ratio)
  }

  #move(): void {
    this.share += this.#direction * this.#step
    if (this.share <= leastShare) {
      this.share = leastShare
      this.#direction = 1
    } else if (this.share >= greatestShare) {
      this.share = greatestShare
      this.#direction = -1
    }
  }
}

const initialShare = 0.2
const leastShare = 0.005
/** Leaves main the quarter of the capacity that the largest entry may take. */
const greatestShare = 0.75
const minimumSample = 1000
const accessesPerEntry = 5
const boldStep = 0.0625
const leastStep = 0.01
const caution = 0.8
/** Of the hit ratio: what is no mere noise, and what is another workload. */
const tolerance = 0.01
const leap = 0.05
