import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as DurableCacheOff from "../../../src/layers/durable/DurableCacheOff.ts"
import * as LearnedStateStore from "../../../src/layers/prefetch/LearnedStateStore.ts"
import * as PrefetchGraph from "../../../src/layers/prefetch/PrefetchGraph.ts"
import { prefetchCycle } from "../../../src/programs/prefetch/prefetchCycle.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { LearnedState } from "../../../src/services/prefetch/LearnedState.ts"
import { Prefetch } from "../../../src/services/prefetch/Prefetch.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { addressOf, ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import { pageVisits } from "../../support/prefetch/prefetchTraces.ts"
import { durableMode, kvMode } from "../../support/worlds.ts"

const reports = define("reports", { ttl: "30 days", jitter: 0 })
const settings = { collections: new Map([[reports.name, reports]]), durableMode: true }

const inObjects = LearnedStateStore.layerDurable.pipe(Layer.provideMerge(durableMode({ settings })))

const inKv = (prefetchLatencyUsd: number) =>
  LearnedStateStore.layerKv.pipe(
    Layer.provideMerge(DurableCacheOff.layer),
    Layer.provideMerge(kvMode({ settings: { ...settings, durableMode: false, prefetchLatencyUsd } }))
  )

const isolate = () => PrefetchGraph.make({ precision: 0.6 })

const experienced = () => {
  const prefetch = isolate()
  for (const { id, now, session } of pageVisits(200, 0)) prefetch.observe(session, id, now)
  return prefetch
}

/** Layers see the isolate's prediction when they are built, so that each isolate has layers of its own over one store. */
const cycleOf = (prefetch: ReturnType<typeof isolate>, mode: "durable" | "kv" = "durable", pays = true) =>
  Effect.flatMap(Store, (store) =>
    prefetchCycle.pipe(
      Effect.provide(Layer.succeed(Prefetch, prefetch)),
      Effect.provide(
        Layer.effect(LearnedState, Effect.succeed(LearnedStateStore.make(store, prefetch, { mode, pays })))
      )
    )
  )

it.effect("what one isolate has learned the next one knows, and it is saved once an hour", () =>
  Effect.gen(function* () {
    const heir = isolate()
    const first = experienced()
    assert.deepStrictEqual(yield* cycleOf(first), { loaded: false, saving: "saved", warmed: 0 })
    assert.deepStrictEqual(yield* cycleOf(heir), { loaded: true, saving: "unchanged", warmed: 0 })
    assert.include(heir.observe("new", "pages/0", 86_400_000), "parts/0-a")
    assert.strictEqual((yield* cycleOf(heir)).saving, "early")
    yield* TestClock.adjust("61 minutes")
    assert.strictEqual((yield* cycleOf(first)).saving, "unchanged")
    first.observe("other", "pages/0", 86_400_000)
    first.observe("other", "parts/0-a", 86_400_000)
    assert.strictEqual((yield* cycleOf(first)).saving, "saved")
    const { kv } = (yield* Ledger).report().total
    assert.deepStrictEqual(kv, { reads: 0, writes: 0, deletes: 0, lists: 0 })
  }).pipe(Effect.provide(inObjects))
)

it.effect("an isolate that has learned nothing saves nothing over what others learned", () =>
  Effect.gen(function* () {
    yield* cycleOf(experienced())
    yield* TestClock.adjust("2 hours")
    assert.strictEqual((yield* cycleOf(isolate())).saving, "unchanged")
    const heir = isolate()
    yield* cycleOf(heir)
    assert.include(heir.observe("new", "pages/0", 86_400_000), "parts/0-a")
  }).pipe(Effect.provide(inObjects))
)

it.effect("where KV keeps the entries it costs nothing, unless latency has a price", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* cycleOf(experienced(), "kv", false), { loaded: false, saving: "unpaid", warmed: 0 })
    assert.strictEqual((yield* Ledger).report().total.kv.reads, 0)
    const [first, second] = [experienced(), experienced()]
    let saved = 0
    for (let quarter = 0; quarter < 96; quarter++) {
      for (const prefetch of [first, second]) {
        prefetch.observe(`${quarter}`, "pages/0", quarter * 900_000)
        prefetch.observe(`${quarter}`, "parts/0-a", quarter * 900_000)
        if ((yield* cycleOf(prefetch, "kv")).saving === "saved") saved += 1
      }
      yield* TestClock.adjust("15 minutes")
    }
    assert.isAtMost(saved, 4)
    assert.strictEqual((yield* Ledger).report().total.kv.writes, saved)
  }).pipe(Effect.provide(inKv(0)))
)

it.effect("memory is warmed with what this quarter of an hour usually asks for, by one request", () =>
  Effect.gen(function* () {
    const store = yield* Store
    const prefetch = isolate()
    yield* store.set(reports, "daily", new Uint8Array(3))
    for (let today = 0; today < 4; today++) {
      prefetch.observe(`reader ${today}`, "reports/daily", today * 86_400_000 + 36 * 900_000)
      prefetch.observe(`reader ${today}`, "reports/gone", today * 86_400_000 + 36 * 900_000)
    }
    yield* TestClock.adjust("4 days")
    assert.strictEqual((yield* cycleOf(prefetch)).warmed, 0)
    yield* TestClock.adjust("9 hours")
    const before = (yield* Ledger).report().total.durableObject.requests
    assert.strictEqual((yield* cycleOf(prefetch)).warmed, 1)
    assert.strictEqual((yield* Ledger).report().total.durableObject.requests - before, 2)
    const now = (4 * 24 + 9) * 3_600_000
    assert.isDefined((yield* ReadPath).known(addressOf(reports, "daily"), now))
  }).pipe(Effect.provide(inObjects))
)
