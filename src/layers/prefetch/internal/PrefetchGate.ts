/**
 * Which predictions are to be trusted. A prediction's evidence (order of the context, how often the context occurred,
 * how often this id followed) falls into one of few classes, and every class keeps account of what became of its
 * predictions, those that were only made in silence included. Its confidence is that account, begun at eight failures:
 * a class that never proved itself is not believed, which is what keeps the gate shut on streams without order.
 *
 * The threshold follows the precision of what was issued: every {@link round} outcomes it goes up by a tenth of what is
 * left to 1 when they missed the target, else down by 0.01, not below half the target (AIMD, turned around: what is to
 * be bounded are failures).
 */
export class PrefetchGate {
  readonly used = new Float32Array(classes)
  readonly seen = new Float32Array(classes)
  threshold: number
  #used = 0
  #seen = 0

  /** @param target precision to hold, in (0, 1) */
  constructor(readonly target: number) {
    this.threshold = target
  }

  confidence(kind: number): number {
    return this.used[kind]! / (this.seen[kind]! + failuresBefore)
  }

  settle(kind: number, used: boolean, issued: boolean): void {
    this.seen[kind]!++
    if (used) this.used[kind]!++
    if (this.seen[kind]! > remembered) {
      this.seen[kind]! /= 2
      this.used[kind]! /= 2
    }
    if (!issued) return
    this.#seen++
    if (used) this.#used++
    if (this.#seen === round) {
      this.threshold =
        this.#used < this.target * round
          ? Math.min(0.98, this.threshold + (1 - this.threshold) / 10)
          : Math.max(this.target / 2, this.threshold - 0.01)
      this.#seen = 0
      this.#used = 0
    }
  }
}

/** The class of a prediction by its evidence: order 1 or 2, occurrences of the context, followers of them. */
export const classOf = (order: 1 | 2, occurrences: number, followed: number): number => {
  const often = occurrences >= 16 ? 4 : occurrences >= 8 ? 3 : occurrences >= 4 ? 2 : occurrences >= 2 ? 1 : 0
  const share = Math.min(shares - 1, Math.floor((followed / occurrences) * shares))
  return ((order - 1) * 5 + often) * shares + share
}

const shares = 8
export const classes = 2 * 5 * shares
const failuresBefore = 8
const remembered = 200
const round = 32
