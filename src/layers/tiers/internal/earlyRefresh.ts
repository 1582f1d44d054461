import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { TierSettings } from "../../../services/settings/Settings.ts"
import type { Observation } from "../../../services/store/model/Entry.ts"
import { shouldRefreshEarly, willBeAskedAgain } from "../../../services/store/model/Freshness.ts"
import { hashOf } from "../FrequencySketch.ts"

/** Ids whose rate is known at once; of two that share a place, the later one has it. */
const places = 4096

/** The share of one gap in the mean. */
const weight = 1 / 4

/** Decides at every hit of a loaded entry whether to load it again ahead of its end, and counts those to load. */
export const makeEarlyRefresh = ({ refreshBeta, refreshTheta }: TierSettings, counts: { earlyRefreshes: number }) => {
  const arrivals = new Arrivals()
  return (id: string, held: Observation, now: number): Effect.Effect<boolean> => {
    const rate = arrivals.ask(id, now)
    return Effect.map(Random.next, (random) => {
      const due =
        held.entry !== undefined &&
        shouldRefreshEarly(held, now, refreshBeta, 1 - random) &&
        willBeAskedAgain(rate, held.entry.expiresAt - held.readAt, refreshTheta)
      if (due) counts.earlyRefreshes += 1
      return due
    })
  }
}

/** At what rate ids are asked for, from the gaps between their requests: an exponentially weighted mean. */
class Arrivals {
  readonly #hash = new Int32Array(places)
  readonly #at = new Float64Array(places).fill(Number.NEGATIVE_INFINITY)
  readonly #gap = new Float64Array(places).fill(Number.POSITIVE_INFINITY)

  /** Counts a request. Requests per millisecond, this one's gap included; 0 for an id that was not asked for before. */
  ask(id: string, now: number): number {
    const hash = hashOf(id, 0)
    const place = hash & (places - 1)
    if (this.#hash[place] !== hash || this.#at[place] === Number.NEGATIVE_INFINITY) {
      this.#hash[place] = hash
      this.#gap[place] = Number.POSITIVE_INFINITY
    } else {
      const gap = Math.max(0, now - this.#at[place]!)
      const known = this.#gap[place]!
      this.#gap[place] = known === Number.POSITIVE_INFINITY ? gap : known + (gap - known) * weight
    }
    this.#at[place] = now
    return 1 / Math.max(this.#gap[place]!, 1e-3)
  }
}
