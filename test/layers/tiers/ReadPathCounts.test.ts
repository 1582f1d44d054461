import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import { ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import { quotes, story } from "../../support/tiers/readStories.ts"

/** What the HTTP hot route does: asks memory at once, and goes the long way where that does not answer. */
const hotGet = (key: string) =>
  Effect.flatMap(Effect.all([Store, Effect.clock]), ([store, clock]) =>
    store.held(quotes, key, clock.unsafeCurrentTimeMillis()) === undefined
      ? Effect.asVoid(store.get(quotes, key))
      : Effect.void
  )

const counted = Effect.map(Effect.all([MemoryTier, ReadPath, Ledger]), ([memory, path, ledger]) => ({
  hits: memory.stats().hits,
  misses: memory.stats().misses,
  reads: path.stats().reads,
  logical: ledger.report().total.logical.reads
}))

describe("one read of the hot route is one access of memory", () => {
  story(
    "a miss",
    Effect.gen(function* () {
      yield* hotGet("absent")
      assert.deepStrictEqual(yield* counted, { hits: 0, misses: 1, reads: 1, logical: 1 })
    })
  )

  story(
    "a hit",
    Effect.gen(function* () {
      yield* Effect.flatMap(Store, (store) => store.set(quotes, "a", bytes("1")))
      yield* hotGet("a")
      assert.deepStrictEqual(yield* counted, { hits: 1, misses: 0, reads: 1, logical: 1 })
    })
  )

  story(
    "an entry that is held and no longer fresh",
    Effect.gen(function* () {
      yield* Effect.flatMap(Store, (store) => store.set(quotes, "a", bytes("1")))
      yield* TestClock.adjust("61 seconds")
      yield* hotGet("a")
      const { hits, misses, ...rest } = yield* counted
      assert.strictEqual(hits + misses, 1)
      assert.deepStrictEqual(rest, { reads: 1, logical: 1 })
    })
  )

  story(
    "an absence that is remembered",
    Effect.gen(function* () {
      yield* hotGet("absent")
      yield* hotGet("absent")
      assert.deepStrictEqual(yield* counted, { hits: 1, misses: 1, reads: 2, logical: 2 })
    })
  )
})
