import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as BatcherCoalescing from "../../../src/layers/batching/BatcherCoalescing.ts"
import { Batcher } from "../../../src/services/batching/Batcher.ts"
import { addressOf } from "../../../src/services/tiers/ReadPath.ts"
import { behind, invoked, makeRecord, refusal, write } from "../../contracts/batching/Batcher.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

const mebibyte = 1024 * 1024
const textOf = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value)

/** What a write counts for: its key with its collection, its value, and 64 bytes. */
const bytesOf = (key: string, size: number) => `behind/${key}`.length + size + 64

const buffered = Effect.map(
  Batcher,
  (batcher) => batcher.stats().byCollection.get("behind") ?? { buffered: 0, bytes: 0 }
)
const isDue = Effect.zipWith(Batcher, Clock.currentTimeMillis, (batcher, now) => batcher.isDue(now))

describe("what the buffer holds", () => {
  it.effect.prop(
    "is counted in bytes: of each key its last write; nothing once it was flushed or forgotten",
    [
      fc.array(fc.tuple(fc.constantFrom("a", "b", "long key"), fc.nat(500), fc.boolean()), {
        minLength: 1,
        maxLength: 50
      })
    ],
    ([writes]) =>
      virtually(
        Effect.gen(function* () {
          let ill = true
          const record = makeRecord(() => (ill ? refusal("DailyLimit") : undefined))
          const batcher = yield* Batcher
          const model = new Map<string, number>()
          for (const [key, size, removes] of writes) {
            const next = write(behind, key, removes ? undefined : "x".repeat(size))
            yield* invoked(batcher.write([next], record.writeMany))
            model.set(key, bytesOf(key, removes ? 0 : size))
            const expected = [...model.values()].reduce((sum, bytes) => sum + bytes, 0)
            assert.deepInclude(yield* buffered, { buffered: model.size, bytes: expected })
          }
          yield* invoked(batcher.flush("all"))
          assert.strictEqual((yield* buffered).buffered, model.size)
          ill = false
          yield* TestClock.adjust("2 minutes")
          yield* invoked(batcher.flush("all"))
          assert.deepInclude(yield* buffered, { buffered: 0, bytes: 0 })
        }).pipe(Effect.provide(BatcherCoalescing.layer))
      ),
    { fastCheck: { numRuns: runs(100) } }
  )

  it.effect("is full at a mebibyte in one collection, and not a byte earlier", () =>
    Effect.gen(function* () {
      for (const over of [-1, 0]) {
        const record = makeRecord()
        const batcher = yield* Batcher
        yield* invoked(batcher.write([write(behind, "warm", "x")], record.writeMany))
        yield* invoked(batcher.flush("all"))
        record.calls.length = 0
        const sizes = [500_000, mebibyte - 500_000 - bytesOf("a", 0) - bytesOf("b", 0) + over]
        for (const [index, size] of sizes.entries()) {
          yield* invoked(batcher.write([write(behind, "ab"[index]!, "x".repeat(size))], record.writeMany))
        }
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(record.calls, over < 0 ? [] : ["write a b"])
        batcher.discard(behind)
        yield* TestClock.adjust("1 minute")
      }
    }).pipe(Effect.provide(BatcherCoalescing.layer))
  )

  it.effect("is at most 16 MiB of all collections: beyond, a write goes to the store of record at once", () =>
    Effect.gen(function* () {
      const record = makeRecord((key) => (key.startsWith("full") ? refusal("DailyLimit") : undefined))
      const batcher = yield* Batcher
      const each = mebibyte - bytesOf("full-00", 0)
      for (let part = 0; part < 16; part++) {
        const next = write(behind, `full-${String(part).padStart(2, "0")}`, "x".repeat(each))
        const [outcome] = yield* invoked(batcher.write([next], record.writeMany))
        assert.strictEqual(outcome!.error, undefined)
      }
      assert.strictEqual((yield* buffered).bytes, 16 * mebibyte)
      const [last] = yield* invoked(batcher.write([write(behind, "one", "")], record.writeMany))
      assert.deepInclude(last, { acknowledged: "buffered" }, "what is there is no more than it may be")
      const [beyond] = yield* invoked(batcher.write([write(behind, "two", "")], record.writeMany))
      assert.deepInclude(beyond, { acknowledged: "stored" })
      assert.strictEqual(textOf(record.held.get("behind/two")?.value), "")
    }).pipe(Effect.provide(BatcherCoalescing.layer))
  )
})

it.effect(
  "a direct write takes an older buffered one of its key out of the buffer, and leaves a younger one in it",
  () =>
    Effect.gen(function* () {
      let ill = true
      const record = makeRecord(() => (ill ? refusal("DailyLimit") : undefined))
      const batcher = yield* Batcher
      const put = (writes: Parameters<typeof batcher.write>[0]) => invoked(batcher.write(writes, record.writeMany))
      const stale = write(behind, "a", "stale")
      const direct = [write(behind, "a", "direct a"), write(behind, "b", "direct b")]
      const young = write(behind, "b", "young")
      yield* put([stale, young])
      const many = Array.from({ length: 9998 }, (_, number) => write(behind, `k${number}`, ""))
      for (let from = 0; from < many.length; from += 500) yield* put(many.slice(from, from + 500))
      ill = false
      const outcomes = yield* put(direct)
      assert.deepStrictEqual(
        outcomes.map((outcome) => "acknowledged" in outcome && outcome.acknowledged),
        ["stored", "stored"]
      )
      assert.strictEqual(batcher.pending(addressOf(behind, "a")), undefined)
      assert.strictEqual(batcher.pending(addressOf(behind, "b")), young)
      yield* TestClock.adjust("1 day")
      yield* invoked(batcher.flush("all"))
      assert.strictEqual(textOf(record.held.get("behind/a")?.value), "direct a")
      assert.strictEqual(textOf(record.held.get("behind/b")?.value), "young")
      assert.isFalse(yield* isDue)
    }).pipe(Effect.provide(BatcherCoalescing.layer))
)
