import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { story } from "../../support/tiers/readStories.ts"

const quotes = define("quotes", { jitter: 0, memoryTtl: "60 seconds", edgeTtl: "60 seconds", ttl: "60 seconds" })

describe("with an edge cache in between", () => {
  story(
    "a refresh ahead of time is not content with edge's copy of what it is to replace",
    Effect.gen(function* () {
      const store = yield* Store
      let loads = 0
      const load = Effect.delay(
        Effect.sync(() => Option.some({ value: Uint8Array.of(++loads) })),
        "1 second"
      )
      const first = yield* Effect.fork(store.getOrLoad(quotes, "a", load))
      yield* TestClock.adjust("1 second")
      yield* first
      // With this draw it is due from 4.6 s before its end.
      for (let second = 0; second < 56; second++) {
        yield* TestClock.adjust("1 second")
        yield* Effect.fork(Effect.withRandomFixed(store.getOrLoad(quotes, "a", load), [0.99]))
        yield* Effect.yieldNow()
      }
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(loads, 2)
    }),
    { edge: EdgeCacheMemory.layer }
  )
})
