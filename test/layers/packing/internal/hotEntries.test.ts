import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../../src/layers/kv/KvMemory.ts"
import { makePackedEntries } from "../../../../src/layers/routing/packedEntries.ts"
import * as Random from "../../../../src/services/base/model/Random.ts"
import type { Kv } from "../../../../src/services/kv/Kv.ts"
import { defaults } from "../../../../src/services/settings/Settings.ts"
import { define } from "../../../../src/services/store/model/Collection.ts"
import { addressOf } from "../../../../src/services/tiers/ReadPath.ts"

const ticks = define("ticks", { packed: true })
const settled = Array.from({ length: 100 }, (_, n) => `row-${String(n).padStart(2, "0")}`)

/** Isolates over one namespace that tells what was put into it. */
const makeWorld = () => {
  const kv = KvMemory.make()
  const puts: Array<{ readonly name: string; readonly bytes: number }> = []
  const counting: Kv["Type"] = {
    ...kv,
    put: (name, value, options) => {
      puts.push({ name, bytes: value.byteLength })
      return kv.put(name, value, options)
    }
  }
  const draw = Random.make(1)
  let counter = 0
  const noise = () => Uint8Array.from({ length: 500 }, () => Math.floor(draw() * 256))
  return {
    puts,
    isolate: () => {
      const entries = makePackedEntries(counting, defaults)
      /** Values, or undefined for a delete. */
      const write = (values: Record<string, Uint8Array | undefined>) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const writes = Object.entries(values).map(([key, value]) => {
            counter += 1
            const stamp = { wall: now, counter, writer: "w" }
            const body = { contentType: "x/y", tags: [], expiresAt: Number.POSITIVE_INFINITY, loadMillis: 0 }
            return { address: addressOf(ticks, key), entry: value && { ...body, value, stamp }, stamp }
          })
          const errors = yield* entries.writeMany(writes, now)
          assert.deepStrictEqual(
            errors,
            writes.map(() => undefined)
          )
          // A page takes one put a second, and a view may be used for ten.
          yield* TestClock.adjust("2 seconds")
        })
      return {
        write,
        beat: (times: number) =>
          Effect.forEach(Array.from({ length: times }), () => write({ hot: noise() }), { discard: true }),
        read: (...keys: ReadonlyArray<string>) =>
          Effect.map(entries.readMany(keys.map((key) => addressOf(ticks, key))), ({ observations }) =>
            observations.map(({ entry }) => entry?.value)
          ),
        list: (prefix: string) => Effect.map(entries.list(ticks, { prefix }), ({ keys }) => keys.map(({ key }) => key)),
        clear: entries.clear(ticks),
        counts: () => entries.pages.stats().ticks!
      }
    },
    noise,
    rows: () => Object.fromEntries(settled.map((key) => [key, noise()]))
  }
}

/** A page of 101 rows, one of which has been put so often that it has a key of its own. */
const heated = Effect.gen(function* () {
  const world = makeWorld()
  const writer = world.isolate()
  yield* writer.write(world.rows())
  yield* writer.beat(130)
  assert.strictEqual(writer.counts().extracted, 1)
  return { world, writer, elsewhere: world.isolate() }
})

const text = (value: string) => new TextEncoder().encode(value)

describe("an entry that is in most puts of its page", () => {
  it.effect("gets a key of its own, so that the others are not written again with it", () =>
    Effect.gen(function* () {
      const { world, writer } = yield* heated
      const before = world.puts.slice(1, 101).map(({ bytes }) => bytes)
      const from = world.puts.length
      yield* writer.beat(100)
      const after = world.puts.slice(from).map(({ bytes }) => bytes)
      assert.lengthOf(after, before.length)
      assert.isAtLeast(Math.min(...before), 50_000)
      assert.isAtMost(Math.max(...after), 600)
    })
  )

  it.effect("does not, when its puts carry the others as well, or the page is small", () =>
    Effect.gen(function* () {
      const [together, small] = [makeWorld(), makeWorld()].map((world) => ({ world, isolate: world.isolate() }))
      yield* together!.isolate.write(together!.world.rows())
      for (let n = 0; n < 140; n++) {
        const { noise } = together!.world
        yield* together!.isolate.write({ hot: noise(), "row-01": noise(), "row-02": noise(), "row-03": noise() })
      }
      yield* small!.isolate.write({ other: small!.world.noise() })
      yield* small!.isolate.beat(140)
      assert.deepStrictEqual([together!.isolate.counts().extracted, small!.isolate.counts().extracted], [0, 0])
    })
  )

  it.effect("is found, listed and written by every isolate, also once it is written no more than the others", () =>
    Effect.gen(function* () {
      const { elsewhere, world, writer } = yield* heated
      yield* elsewhere.write({ hot: text("elsewhere"), "row-07": text("changed") })
      yield* TestClock.adjust("11 seconds")
      for (const isolate of [writer, elsewhere, world.isolate()]) {
        const found = yield* isolate.read("hot", "row-07", "row-08", "none")
        assert.deepStrictEqual(found.slice(0, 2), [text("elsewhere"), text("changed")])
        assert.strictEqual(found[2]?.byteLength, 500)
        assert.strictEqual(found[3], undefined)
        assert.deepStrictEqual(yield* isolate.list(""), ["hot", ...settled])
        assert.deepStrictEqual(yield* isolate.list("h"), ["hot"])
      }
      yield* TestClock.adjust("2 hours")
      yield* writer.write({ "row-08": text("later") })
      yield* writer.write({ hot: text("cool") })
      yield* TestClock.adjust("11 seconds")
      assert.deepStrictEqual(yield* world.isolate().read("hot", "row-08"), [text("cool"), text("later")])
    })
  )

  it.effect("is deleted like any other, and lies in its page when it comes again", () =>
    Effect.gen(function* () {
      const { elsewhere, world, writer } = yield* heated
      yield* elsewhere.write({ hot: undefined })
      yield* TestClock.adjust("11 seconds")
      for (const isolate of [writer, elsewhere, world.isolate()]) {
        assert.deepStrictEqual(yield* isolate.read("hot"), [undefined])
        assert.deepStrictEqual(yield* isolate.list("h"), [])
      }
      const before = world.puts.length
      yield* elsewhere.write({ hot: text("again") })
      assert.isAtLeast(world.puts[before]!.bytes, 50_000)
      yield* TestClock.adjust("11 seconds")
      assert.deepStrictEqual(yield* writer.read("hot"), [text("again")])
    })
  )

  it.effect("goes with all others when the collection is cleared, and counts once", () =>
    Effect.gen(function* () {
      const { elsewhere, world, writer } = yield* heated
      assert.deepStrictEqual(yield* writer.clear, { deleted: 101, complete: true })
      yield* TestClock.adjust("5 minutes")
      for (const isolate of [writer, elsewhere, world.isolate()]) {
        assert.deepStrictEqual(yield* isolate.read("hot", "row-00"), [undefined, undefined])
        assert.deepStrictEqual(yield* isolate.list(""), [])
      }
    })
  )
})
