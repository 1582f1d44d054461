import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { type DurableCache, type DurableCacheError, entriesOf } from "../../../src/services/durable/DurableCache.ts"
import { shardOf } from "../../../src/services/durable/Shard.ts"
import { compareStamps, type Stamp } from "../../../src/services/store/model/Entry.ts"
import { write } from "../../support/durable/shardWrite.ts"
import { leases } from "./durableLeases.ts"

/** A cache whose shards are its own, their operations those of `operationsOf`, and what its calls have cost. */
export interface World {
  readonly cache: DurableCache["Type"]
  readonly billed: () => { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number }
  /** `largeValues`, run where the cache is. */
  readonly large: Effect.Effect<
    { readonly outcomes: ReadonlyArray<string>; readonly same: ReadonlyArray<boolean> },
    DurableCacheError
  >
}

const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value)
const stamp = (wall: number): Stamp => ({ wall, counter: 0, writer: "test" })
const ids = (count: number, prefix = "things/") => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const shardsOf = (asked: ReadonlyArray<string>, count: number) => new Set(asked.map((id) => shardOf(id, count))).size
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What every layer of DurableCache promises. Runs on the clock of the machine. */
export const contract = (layer: string, make: (shards: number) => World, options: { readonly runs: number }): void => {
  const runs = { fastCheck: { numRuns: options.runs } }

  describe(`${layer} keeps the contract of DurableCache:`, () => {
    const anyBody = fc.record({
      value: fc.uint8Array({ maxLength: 300 }),
      tags: fc.uniqueArray(fc.string(), { maxLength: 3 }),
      expiresAt: fc.constantFrom(Number.POSITIVE_INFINITY, 9e15, 1e15 + 0.5)
    })

    it.live("entries come back in the order asked, byte for byte, and absences between them", () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.dictionary(fc.string({ unit: "grapheme", minLength: 1 }), anyBody, { minKeys: 1, maxKeys: 8 }),
            fc.infiniteStream(fc.nat()),
            (bodies, draws) =>
              Effect.runPromise(
                Effect.gen(function* () {
                  const { cache } = make(3)
                  const keys = Object.keys(bodies)
                  const results = yield* cache.apply(keys.map((key) => write(key, bodies[key]!)))
                  const asked = Array.from(
                    { length: 12 },
                    () => [...keys, "absent"][draws.next().value! % (keys.length + 1)]!
                  )
                  const found = yield* entriesOf(cache, asked)
                  assert.deepStrictEqual(
                    found.map((entry) => entry && { ...entry, value: [...entry.value] }),
                    asked.map((key) => {
                      const body = bodies[key]
                      const result = results[keys.indexOf(key)]
                      return (
                        body && {
                          ...body,
                          value: [...body.value],
                          contentType: "text/plain",
                          loadMillis: 0,
                          stamp: result && "version" in result ? result.version : stamp(0)
                        }
                      )
                    })
                  )
                })
              )
          ),
          { numRuns: options.runs }
        )
      )
    )

    it.live("values too large for one RPC together, and views of large buffers, arrive whole", () =>
      Effect.gen(function* () {
        const world = make(1)
        assert.deepStrictEqual(yield* world.large, {
          outcomes: Array(5).fill("applied"),
          same: Array(5).fill(true)
        })
      })
    )

    it.live("nothing asked costs nothing", () =>
      Effect.gen(function* () {
        const { billed, cache } = make(4)
        assert.deepStrictEqual(yield* entriesOf(cache, []), [])
        assert.deepStrictEqual(yield* cache.apply([]), [])
        assert.strictEqual(billed().requests, 0)
      })
    )

    it.effect.prop(
      "a call costs one RPC for each shard it concerns",
      [fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 5 })],
      ([asked, count]) =>
        Effect.gen(function* () {
          const { billed, cache } = make(count)
          const concerned = shardsOf(asked, count)
          yield* entriesOf(cache, asked)
          assert.strictEqual(billed().requests, concerned)
          yield* cache.apply(asked.map((id) => write(id)))
          assert.strictEqual(billed().requests, 2 * concerned)
          yield* cache.invalidateTags(["t"], stamp(2))
          assert.strictEqual(billed().requests, 2 * concerned + count)
        }),
      runs
    )

    it.live("rows are counted with the call that cost them: one written per write, none for a read", () =>
      Effect.gen(function* () {
        const { billed, cache } = make(1)
        yield* cache.apply([write("a/first")])
        const before = billed()
        yield* cache.apply(ids(10).map((id) => write(id)))
        const written = billed()
        assert.strictEqual(written.rowsWritten - before.rowsWritten, 10)
        yield* entriesOf(cache, ids(10))
        assert.strictEqual(billed().rowsWritten, written.rowsWritten)
        assert.strictEqual(billed().rowsRead - written.rowsRead, 10)
      })
    )

    it.live("each write gets its own result, in the order given", () =>
      Effect.gen(function* () {
        const { cache } = make(4)
        yield* cache.apply(ids(20).map((id) => write(id, { wall: 5 })))
        const results = yield* cache.apply(
          ids(24).map((id, i) =>
            i % 3 === 0 ? write(id, { wall: 5 }) : { ...write(id, { value: "new", wall: 4 }), firstUntil: 0 }
          )
        )
        assert.deepStrictEqual(
          results.map((result): unknown => ("outcome" in result ? [result.outcome, result.replaced] : result)),
          ids(24).map((_, i) => [i >= 20 ? "applied" : i % 3 === 0 ? "unchanged" : "overtaken", i < 20])
        )
      })
    )

    it.live("writes to one id keep their order", () =>
      Effect.gen(function* () {
        const { cache } = make(3)
        yield* cache.apply(["1", "2", "3"].flatMap((value) => ids(5).map((id) => write(id, { value }))))
        const found = yield* entriesOf(cache, ids(5))
        assert.deepStrictEqual(
          found.map((entry) => text(entry?.value)),
          Array(5).fill("3")
        )
      })
    )

    it.live("a tag ends its entries in every shard, and none that are written later", () =>
      Effect.gen(function* () {
        const { cache } = make(4)
        yield* cache.apply(ids(40).map((id, i) => write(id, { tags: i % 2 === 0 ? ["even", "all"] : ["odd"] })))
        const mark = yield* cache.invalidateTags(["even"], stamp(2))
        assert.isAtLeast(compareStamps(mark, stamp(2)), 0)
        const early = yield* cache.invalidateTags(["none"], stamp(0))
        for (const entry of yield* entriesOf(cache, ids(40))) {
          if (entry !== undefined) assert.isAbove(compareStamps(early, entry.stamp), 0)
        }
        const found = yield* entriesOf(cache, ids(40))
        assert.deepStrictEqual(
          found.map((entry) => entry !== undefined),
          ids(40).map((_, i) => i % 2 === 1)
        )
        yield* cache.apply([write("things/0", { tags: ["even"], wall: 3, value: "again" })])
        assert.strictEqual(text((yield* entriesOf(cache, ["things/0"]))[0]?.value), "again")
      })
    )

    it.live("a list goes through all shards in the order of UTF-8 bytes, whatever the size of its pages", () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(
              fc.oneof(fc.string({ unit: "binary", minLength: 1 }), fc.constantFrom("\uffff", "𝄞", "\ue000z")),
              {
                maxLength: 12
              }
            ),
            fc.integer({ min: 1, max: 5 }),
            (keys, limit) =>
              Effect.runPromise(
                Effect.gen(function* () {
                  const { cache } = make(3)
                  const under = keys.map((key) => `list/${key}`)
                  yield* cache.apply([...under, "lisp/x", "list"].map((id) => write(id, { tags: ["t"] })))
                  const listed: Array<string> = []
                  for (let after: string | undefined; ; after = listed.at(-1)) {
                    const page = yield* cache.list("list/", after, limit)
                    assert.isAtMost(page.length, limit)
                    for (const item of page) {
                      assert.deepStrictEqual(item, { id: item.id, expiresAt: Number.POSITIVE_INFINITY, tags: ["t"] })
                      listed.push(item.id)
                    }
                    if (page.length < limit) break
                  }
                  assert.deepStrictEqual(listed, under.toSorted(byBytes))
                })
              )
          ),
          { numRuns: options.runs }
        )
      )
    )

    it.live("a clear ends a collection in all shards, and nothing else", () =>
      Effect.gen(function* () {
        const { cache } = make(4)
        yield* cache.apply([...ids(30), ...ids(3, "others/")].map((id) => write(id)))
        yield* cache.clear("things/", stamp(2))
        assert.strictEqual((yield* cache.list("", undefined, 100)).length, 3)
      })
    )

    it.live("there are statistics of every shard, and operations on every shard", () =>
      Effect.gen(function* () {
        const { cache } = make(3)
        yield* cache.apply(ids(12).map((id) => write(id)))
        yield* entriesOf(cache, [...ids(12), "absent"])
        const stats = (yield* cache.stats).shards
        assert.strictEqual(stats.length, 3)
        const sum = (of: (shard: (typeof stats)[number]) => number) =>
          stats.reduce((total, each) => total + of(each), 0)
        assert.strictEqual(
          sum(({ entries }) => entries),
          12
        )
        assert.strictEqual(
          sum(({ reads }) => reads),
          13
        )
        assert.strictEqual(
          sum(({ hits }) => hits),
          12
        )
        assert.strictEqual(yield* cache.flush, shardsOf(ids(12), 3))
        assert.strictEqual(yield* cache.flush, 0)
        assert.strictEqual(yield* cache.restore(), 21)
      })
    )

    leases(make)
  })
}
