import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { dateOf, dayMillis } from "../../services/base/model/UtcDay.ts"
import { monthOf, type Signal, signals } from "../../services/market/model/Signal.ts"
import { type Outcome, signalId, signalTracking } from "../../services/market/model/SignalTracking.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { StoreError } from "../../services/store/Store.ts"

export interface JudgedSignal extends Signal {
  /** Null until its horizon is over. */
  readonly outcome: Pick<Outcome, "due" | "close" | "return" | "right"> | null
}

/** The signals made on `since` (`YYYY-MM-DD`) and later, of one symbol or all, oldest first, with what became of them. */
export const readSignals = (
  since: string,
  symbol?: string
): Effect.Effect<ReadonlyArray<JudgedSignal>, StoreError, Repository> =>
  Effect.gen(function* () {
    const repository = yield* Repository
    const months = monthsBetween(since, yield* Clock.currentTimeMillis)
    const made = yield* repository.getMany(signals, months)
    const judged = yield* repository.getMany(signalTracking, months)
    const outcomes = new Map(
      judged.flatMap(Option.match({ onNone: () => [], onSome: (it) => it.outcomes })).map((it) => [signalId(it), it])
    )
    return made
      .flatMap(Option.match({ onNone: () => [], onSome: (it) => it.signals }))
      .filter((signal) => signal.date >= since && (symbol === undefined || signal.symbol === symbol))
      .sort((a, b) => (signalId(a) < signalId(b) ? -1 : 1))
      .map((signal): JudgedSignal => {
        const outcome = outcomes.get(signalId(signal))
        if (outcome === undefined) return { ...signal, outcome: null }
        const { close, due, return: change, right } = outcome
        return { ...signal, outcome: { due, close, return: change, right } }
      })
  })

/** From the month of a date to that of a moment, a day ahead in case it is tomorrow somewhere. */
const monthsBetween = (since: string, now: number): ReadonlyArray<string> => {
  const last = monthOf(dateOf(now + dayMillis))
  const months: Array<string> = []
  let [year, month] = [Number(since.slice(0, 4)), Number(since.slice(5, 7))]
  for (;;) {
    const name = `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}`
    if (name > last) return months
    months.push(name)
    if (++month > 12) [year, month] = [year + 1, 1]
  }
}
