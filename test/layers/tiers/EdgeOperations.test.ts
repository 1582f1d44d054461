import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import { Background, type BackgroundService } from "../../../src/services/base/Background.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { runs } from "../../support/runs.ts"
import { kvMode } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0 })
const value = new Uint8Array(3)
const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`)

const invocation = (): BackgroundService => ({
  run: (effect) => Effect.asVoid(Effect.exit(effect)),
  promise: () => undefined,
  spent: { kv: 0, edge: 0 }
})

const calls = Effect.map(Ledger, (ledger) => {
  const { deletes, matches, puts } = ledger.report().total.edge
  return deletes + matches + puts
})

const step = fc.record({
  kind: fc.constantFrom("getMany", "setMany", "removeMany", "get", "set"),
  count: fc.integer({ min: 1, max: 60 })
})

describe("edge cache calls of one invocation", () => {
  it.effect("are never more than the setting says, whatever it does", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), fc.constantFrom(0, 7, 40), (steps, allowed) =>
          Effect.gen(function* () {
            const store = yield* Store
            for (const { count, kind } of steps) {
              const many = keys(count)
              if (kind === "getMany") yield* store.getMany(notes, many)
              else if (kind === "get") yield* store.get(notes, `k${count}`)
              else if (kind === "set") yield* store.set(notes, `k${count}`, value)
              else if (kind === "setMany")
                yield* store.writeMany(
                  notes,
                  many.map((key) => ({ key, value }))
                )
              else
                yield* store.writeMany(
                  notes,
                  many.map((key) => ({ key, remove: true as const }))
                )
            }
            assert.isAtMost(yield* calls, allowed)
          }).pipe(
            Effect.provideService(Background, invocation()),
            Effect.provide(kvMode({ edge: EdgeCacheMemory.layer, settings: { edgeOperations: allowed } })),
            Effect.runPromise
          )
        ),
        { numRuns: runs(40) }
      )
    )
  )

  it.effect("are 40 by default, of which a batch of reads leaves half for what it has to put", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* Effect.provideService(store.getMany(notes, keys(100)), Background, invocation())
      const { matches, puts } = (yield* Ledger).report().total.edge
      assert.deepStrictEqual({ matches, puts }, { matches: 20, puts: 20 })
    }).pipe(Effect.provide(kvMode({ edge: EdgeCacheMemory.layer })))
  )
})
