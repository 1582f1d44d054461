import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as StoreOfRecordKv from "../../../src/layers/migration/StoreOfRecordKv.ts"
import * as StoreDurable from "../../../src/layers/routing/StoreDurable.ts"
import * as OutboxMemory from "../../../src/layers/snapshots/OutboxMemory.ts"
import * as SnapshotsMemory from "../../../src/layers/snapshots/SnapshotsMemory.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { asModel, operation } from "../../contracts/store/storeModel.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"
import { kvMode, world } from "../../support/worlds.ts"

const collectionOf = (packed: boolean | undefined) => define("notes", { jitter: 0, fills: "all", packed })

/** What one deployed version does with the collection, in an isolate of its own. */
const deployments = fc
  .tuple(
    fc.constantFrom(undefined, true),
    fc.array(fc.tuple(fc.boolean(), fc.array(operation, { maxLength: 12 })), { minLength: 2, maxLength: 5 })
  )
  .map(([first, next]) =>
    next.map(([packed, operations], index) => ({ packed: index === 0 ? first : packed, operations }))
  )

type Isolate = () => Layer.Layer<Store>

/** As in a Map with ttls, listings included, whatever the policy of each deployment says. */
const unbroken = (
  isolate: Isolate,
  plan: ReadonlyArray<{ packed: boolean | undefined; operations: Parameters<typeof asModel>[1] }>
) =>
  Effect.gen(function* () {
    const model: NonNullable<Parameters<typeof asModel>[2]> = new Map()
    const start = yield* Clock.currentTimeMillis
    for (const { operations, packed } of plan) {
      const began = (yield* Clock.currentTimeMillis) - start
      const notes = collectionOf(packed)
      yield* Effect.gen(function* () {
        yield* asModel(notes, operations, model, began)
        const now = (yield* Clock.currentTimeMillis) - start
        const { keys } = yield* Effect.flatMap(Store, (store) => store.list(notes, {}))
        assert.deepStrictEqual(
          keys.map(({ key }) => key).sort(),
          [...model].flatMap(([key, { expiresAt }]) => (now < expiresAt ? [key] : [])).sort()
        )
      }).pipe(Effect.provide(isolate()))
      // Longer than KV shows an old value, and an isolate its own writes.
      yield* TestClock.adjust("6 minutes")
    }
    return model
  })

describe("a collection whose policy changes from packed to plain and back while it is alive loses and hides nothing", () => {
  it("in KV mode, where a migration sees all of it, too", () =>
    fc.assert(
      fc.asyncProperty(deployments, (plan) =>
        Effect.runPromise(
          virtually(
            Effect.gen(function* () {
              const kv = KvMemory.make()
              const model = yield* unbroken(() => kvMode({ kv: Layer.succeed(Kv, kv) }), plan)
              const settings = { ...defaults, collections: new Map([["notes", collectionOf(plan.at(-1)!.packed)]]) }
              const record = StoreOfRecordKv.make(kv, settings)
              const now = yield* Clock.currentTimeMillis
              const heads = [...(yield* record.page(undefined, 1000)).heads]
              const entries = yield* record.read(heads)
              const found = new Map(heads.map(({ id }, index) => [id, entries[index]] as const))
              for (const [key, { expiresAt, value }] of model) {
                const entry = found.get(`notes/${key}`)
                const isLiving = entry !== undefined && now < entry.expiresAt
                assert.strictEqual(
                  isLiving ? new TextDecoder().decode(entry.value) : undefined,
                  isLiving || expiresAt > now ? value : undefined
                )
              }
            })
          )
        )
      ),
      { numRuns: runs(60) }
    ))

  it("in durable mode", () =>
    fc.assert(
      fc.asyncProperty(deployments, (plan) =>
        Effect.runPromise(
          virtually(
            Effect.scoped(
              Effect.gen(function* () {
                const shards = yield* Layer.build(Layer.provide(DurableCacheMemory.layer(2), LedgerMemory.layer))
                const isolate = () =>
                  StoreDurable.layer.pipe(
                    Layer.provide(Layer.succeedContext(shards)),
                    Layer.provide(OutboxMemory.layer),
                    Layer.provide(SnapshotsMemory.layer),
                    Layer.provide(world({ settings: { shards: 2 } }))
                  )
                yield* unbroken(isolate, plan)
              })
            )
          )
        )
      ),
      { numRuns: runs(60) }
    ))
})
