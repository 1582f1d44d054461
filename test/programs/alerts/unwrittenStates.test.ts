import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { alertStates } from "../../../src/services/alerts/model/AlertState.ts"
import { Store, StoreError } from "../../../src/services/store/Store.ts"
import { above, rule } from "../../support/alerts/alertRules.ts"
import { inWorld, later, start, webhook } from "../../support/alerts/sweepStories.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"
import { durableMode } from "../../support/worlds.ts"

const rules = Array.from({ length: 6 }, (_, number) => rule(above(90), { number, webhook }))

/** Writes of the named states are refused. */
const refusing = (refused: { readonly ids: Set<string> }) => () =>
  Layer.effect(
    Store,
    Effect.map(Store, (store): Store["Type"] => ({
      ...store,
      writeMany: (collection, changes) =>
        Effect.forEach(changes, (change) =>
          collection.name === alertStates.collection.name && refused.ids.has(change.key)
            ? Effect.succeed({ _tag: "Failed" as const, error: unavailable })
            : Effect.map(store.writeMany(collection, [change]), ([result]) => result!)
        )
    }))
  ).pipe(Layer.provideMerge(durableMode()))

const unavailable = new StoreError({ operation: "set", reason: "Unavailable" })

it.effect.prop(
  "nobody is told of a firing whose state was not written; the next sweep that writes it tells, once",
  [fc.subarray(rules.map(({ id }) => id))],
  ([ids]) => {
    const refused = { ids: new Set(ids) }
    return virtually(
      Effect.zipRight(
        TestClock.setTime(start),
        inWorld(
          rules,
          (world) =>
            Effect.gen(function* () {
              const told = () => world.receiver.attempts.map(({ key }) => key.split("_")[0]!).sort()
              expect(yield* world.sweep).toMatchObject({ fired: rules.length, notWritten: refused.ids.size })
              expect(told()).toStrictEqual(rules.map(({ id }) => id).filter((id) => !refused.ids.has(id)))
              refused.ids.clear()
              yield* later("5 minutes")
              yield* world.sweep
              yield* later("5 minutes")
              yield* world.sweep
              expect(told()).toStrictEqual(rules.map(({ id }) => id))
            }),
          refusing(refused)
        )
      )
    )
  },
  { fastCheck: { numRuns: runs(20) } }
)
