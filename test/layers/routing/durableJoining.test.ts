import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Background } from "../../../src/services/base/Background.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import { lookups, text } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { durableMode } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0 })
const packed = define("packed", { jitter: 0, packed: true })
const keys = Array.from({ length: 10 }, (_, index) => `k${index}`)

/** What belongs to one request. */
const invocation = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Background, {
    run: (work) => Effect.asVoid(Effect.forkDaemon(work)),
    promise: () => undefined
  })

/** Requests to objects that an effect costs. */
const requests = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const before = ledger.report().total.durableObject.requests
    const result = yield* effect
    return { result, requests: ledger.report().total.durableObject.requests - before }
  })

const story = (name: string, body: Effect.Effect<void, unknown, Store | Ledger | MemoryTier>) =>
  it(name, () => Effect.runPromise(virtually(Effect.provide(body, durableMode()))))

const written = (collection: typeof notes) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.writeMany(
      collection,
      keys.map((key) => ({ key, value: bytes(key) }))
    )
    const memory = yield* MemoryTier
    memory.clear("")
  })

describe("reads in durable mode", () => {
  story(
    "of one invocation at once are one RPC to a shard, each entry asked for once, and every read has its own answer",
    Effect.gen(function* () {
      yield* written(notes)
      const store = yield* Store
      const reading = Effect.all(
        [
          Effect.forEach([...keys, "none", "k0"], (key) => Effect.map(store.get(notes, key), text), {
            concurrency: "unbounded"
          }),
          Effect.map(lookups(store, notes, ["k3", "none"]), (found) => found.map(text))
        ],
        { concurrency: "unbounded" }
      )
      const { requests: cost, result } = yield* requests(invocation(reading))
      assert.deepStrictEqual(result, [
        [...keys, undefined, "k0"],
        ["k3", undefined]
      ])
      assert.strictEqual(cost, 1)
    })
  )

  story(
    "of two invocations are two: neither waits for the other's fibers",
    Effect.gen(function* () {
      yield* written(notes)
      const store = yield* Store
      const both = Effect.all([invocation(store.get(notes, "k0")), invocation(store.get(notes, "k1"))], {
        concurrency: "unbounded"
      })
      assert.strictEqual((yield* requests(both)).requests, 2)
    })
  )

  story(
    "bring along what lies in one page with what was asked for",
    Effect.gen(function* () {
      yield* written(packed)
      const store = yield* Store
      assert.strictEqual((yield* requests(store.get(packed, "k0"))).requests, 1)
      const { requests: cost, result } = yield* requests(
        Effect.forEach(keys, (key) => Effect.map(store.get(packed, key), text))
      )
      assert.deepStrictEqual([result, cost], [keys, 0])
    })
  )
})
