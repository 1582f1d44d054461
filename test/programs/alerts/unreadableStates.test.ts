import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as RepositoryStore from "../../../src/layers/repository/RepositoryStore.ts"
import { trackSignals } from "../../../src/programs/market/trackSignals.ts"
import { alertStates } from "../../../src/services/alerts/model/AlertState.ts"
import { signals } from "../../../src/services/market/model/Signal.ts"
import { signalTracking } from "../../../src/services/market/model/SignalTracking.ts"
import { Repository } from "../../../src/services/repository/Repository.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { above, rule } from "../../support/alerts/alertRules.ts"
import { inWorld, later, start, webhook } from "../../support/alerts/sweepStories.ts"
import { text } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { durableMode } from "../../support/worlds.ts"

const foreign = new TextEncoder().encode('{"of": "another shape"}')
const json = { contentType: "application/json" }

it.effect("a sweep leaves a state that it cannot read as it is, and sweeps the other rules", () => {
  const rules = [0, 1, 2].map((number) => rule(above(90), { number, webhook }))
  return virtually(
    Effect.zipRight(
      TestClock.setTime(start),
      inWorld(
        rules,
        (world) =>
          Effect.gen(function* () {
            const store = yield* Store
            yield* store.set(alertStates.collection, rules[1]!.id, foreign, json)
            for (let sweeps = 0; sweeps < 3; sweeps++) {
              yield* world.sweep
              yield* later("5 minutes")
            }
            expect(text(yield* store.get(alertStates.collection, rules[1]!.id))).toBe('{"of": "another shape"}')
            const told = new Set(world.receiver.attempts.map(({ key }) => key.split("_")[0]!))
            expect([...told].sort()).toStrictEqual([rules[0]!.id, rules[2]!.id])
          }),
        () => durableMode()
      )
    )
  )
})

it.effect("a month of outcomes that cannot be read is left as it is, and the others are judged", () =>
  Effect.gen(function* () {
    const store = yield* Store
    const repository = yield* Repository
    const made = (date: string) => ({
      date,
      symbol: "A",
      rule: "momentum" as const,
      direction: "up" as const,
      strength: 0.5,
      horizon: 1,
      close: 10
    })
    for (const date of ["2026-01-30", "2026-02-02"]) {
      yield* repository.set(signals, date.slice(0, 7), { signals: [made(date) as never] })
    }
    yield* store.set(signalTracking.collection, "2026-01", foreign, json)
    const decided = yield* trackSignals(["2026-01-30", "2026-02-02", "2026-02-03"], () => 11)
    expect(decided.map(({ date }) => date)).toStrictEqual(["2026-02-02"])
    expect(text(yield* store.get(signalTracking.collection, "2026-01"))).toBe('{"of": "another shape"}')
  }).pipe(Effect.provide(RepositoryStore.layer), Effect.provide(durableMode()))
)
