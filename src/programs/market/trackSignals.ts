import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { monthOf, signals } from "../../services/market/model/Signal.ts"
import { dueOf, type Outcome, outcomeOf, signalId, signalTracking } from "../../services/market/model/SignalTracking.ts"
import { Repository } from "../../services/repository/Repository.ts"
import type { StoreError } from "../../services/store/Store.ts"

/**
 * Judges every signal that has come due by the last of these sessions and was not judged yet, also those of days that
 * were missed. Done again it changes nothing. Answers what the last session's close decided.
 *
 * @param sessions dates, oldest first, from before the oldest signal that may still be open
 * @param closeOf of a symbol on a date; a signal without one waits
 */
export const trackSignals = (
  sessions: ReadonlyArray<string>,
  closeOf: (symbol: string, date: string) => number | undefined
): Effect.Effect<ReadonlyArray<Outcome>, StoreError, Repository> =>
  Effect.gen(function* () {
    const repository = yield* Repository
    const months = [...new Set(sessions.map(monthOf))]
    const made = yield* repository.getEach(signals, months)
    const judged = yield* repository.getEach(signalTracking, months)
    const decided: Array<Outcome> = []
    const changed: Array<{ readonly key: string; readonly value: { readonly outcomes: ReadonlyArray<Outcome> } }> = []
    for (const [index, key] of months.entries()) {
      const [makes, judges] = [made[index]!, judged[index]!]
      // A month that cannot be read is left as it is.
      if (Either.isLeft(makes) || Either.isLeft(judges)) continue
      const known = Option.match(judges.right, { onNone: () => [], onSome: ({ outcomes }) => outcomes })
      const ids = new Set(known.map(signalId))
      const open = Option.match(makes.right, { onNone: () => [], onSome: (month) => month.signals }).filter(
        (signal) => !ids.has(signalId(signal))
      )
      const due = open.flatMap((signal) => {
        const date = dueOf(signal, sessions)
        const close = date === undefined ? undefined : closeOf(signal.symbol, date)
        return date === undefined || close === undefined ? [] : [outcomeOf(signal, date, close)]
      })
      decided.push(...[...known, ...due].filter((outcome) => outcome.due === sessions.at(-1)))
      if (due.length > 0) changed.push({ key, value: { outcomes: [...known, ...due] } })
    }
    for (const result of yield* repository.setMany(signalTracking, changed)) {
      if (result._tag === "Failed") return yield* result.error
    }
    return decided
  })
