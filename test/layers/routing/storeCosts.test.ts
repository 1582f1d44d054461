import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { zeroStamp } from "../../../src/services/store/model/Entry.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import { addressOf, ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import { type Cost, costly, costs } from "../../support/costs.ts"
import { runs } from "../../support/runs.ts"
import { sizesAround } from "../../support/sizes.ts"
import { virtually } from "../../support/virtually.ts"

const notes = define("notes", { jitter: 0, memoryTtl: "60 seconds", edgeTtl: "30 seconds", negativeTtl: "10 seconds" })
const every = define("every", { ...notes.policy, fills: "all" })
const size = 7
const most = defaults.edgeOperations / 2
const value = new Uint8Array(size)
const keysOf = (count: number) => Array.from({ length: count }, (_, number) => `k${number}`)
const writesOf = (count: number) => keysOf(count).map((key) => ({ key, value, tags: ["t"] }))

type Deps = Store | MemoryTier
type Story = (store: Store["Type"], count: number) => Effect.Effect<unknown, unknown, Deps>

const nothing: Story = () => Effect.void
const written: Story = (store, count) => store.writeMany(notes, writesOf(count))
/** As an isolate finds it that has not been here before, at a location that has not, either. */
const elsewhere: Story = (store, count) =>
  Effect.zipRight(
    written(store, count),
    Effect.zipRight(
      TestClock.adjust("31 seconds"),
      Effect.map(MemoryTier, (memory) => memory.clear(""))
    )
  )
/** At a location whose edge cache has it. */
const nearby: Story = (store, count) =>
  Effect.zipRight(
    written(store, count),
    Effect.map(MemoryTier, (memory) => memory.clear(""))
  )
const load = Effect.succeed(Option.some({ value }))

/** The flag that the shard has changed since its last snapshot. */
const dirty = 1

/** What an operation costs in each mode, for any number of keys that one batch may ask edge for. */
const law = (
  title: string,
  before: Story,
  operation: Story,
  cost: { readonly [M in keyof typeof costly]: (count: number) => Cost }
) => {
  for (const mode of ["kv", "durable"] as const) {
    it.effect.prop(
      `${title} (${mode} mode)`,
      [fc.oneof(fc.integer({ min: 1, max: most }), fc.constantFrom(1, most))],
      ([count]) =>
        virtually(
          Effect.gen(function* () {
            const store = yield* Store
            yield* before(store, count)
            yield* costs(operation(store, count), cost[mode](count))
          }).pipe(Effect.provide(costly[mode]()))
        ),
      { fastCheck: { numRuns: runs(6) } }
    )
  }
}

const free = { kv: () => ({}), durable: () => ({}) }

/** Of KV mode: an entry with a tag takes the tag's mark as well, which edge and memory hold like an entry. */
const tagToo = 1

describe("what an operation costs:", () => {
  law("a read of what memory holds", written, (store) => store.get(notes, "k0"), free)
  law("many reads of what memory holds", written, (store, count) => store.getMany(notes, keysOf(count)), free)
  law("a load that memory saves", written, (store) => store.getOrLoad(notes, "k0", load), free)
  law("a read of what edge holds", nearby, (store) => store.get(notes, "k0"), {
    kv: () => ({ matches: 1 }),
    durable: () => ({ matches: 1 })
  })
  law("a read of what neither holds", elsewhere, (store) => store.get(notes, "k0"), {
    kv: () => ({ reads: 1 + tagToo, calls: 1 + tagToo, matches: 1 + tagToo, puts: 1 + tagToo }),
    durable: () => ({ rpcs: 1, rowsRead: 1, matches: 1, puts: 1 })
  })
  law("a read of what is not there", nothing, (store) => store.get(notes, "k0"), {
    kv: () => ({ reads: 1, calls: 1, matches: 1, puts: 1 }),
    durable: () => ({ rpcs: 1, matches: 1, puts: 1 })
  })
  law("many reads of what neither holds", elsewhere, (store, count) => store.getMany(notes, keysOf(count)), {
    kv: (count) => ({ reads: count + tagToo, calls: 1 + tagToo, matches: count + tagToo, puts: count + tagToo }),
    durable: (count) => ({ rpcs: 1, rowsRead: count, matches: count, puts: count })
  })
  // In durable mode the object is asked for the entry, for the lease, and to keep what the load brought. At the edge there
  // are the entry and the mark that it was loaded.
  law("a load of what is not there", nothing, (store) => store.getOrLoad(notes, "k0", load), {
    kv: () => ({ reads: 1, calls: 1, matches: 2, puts: 2 }),
    durable: () => ({ rpcs: 3, matches: 2, puts: 2 })
  })
  law("the same where every fill is stored", nothing, (store) => store.getOrLoad(every, "k0", load), {
    kv: () => ({ reads: 1, writes: 1, calls: 2, bytes: size, matches: 1, puts: 1 }),
    durable: () => ({ rpcs: 3, rowsWritten: 1 + dirty, matches: 1, puts: 1 })
  })
  law("a load that fails", nothing, (store) => Effect.flip(store.getOrLoad(notes, "k0", Effect.fail("no"))), {
    kv: () => ({ reads: 1, calls: 1, matches: 1 }),
    durable: () => ({ rpcs: 3, matches: 1 })
  })
  law("a write", nothing, (store) => store.set(notes, "k0", value), {
    kv: () => ({ writes: 1, calls: 1, bytes: size, puts: 1 }),
    durable: () => ({ rpcs: 1, rowsWritten: 1 + dirty, puts: 1 })
  })
  law("a write of what is stored", written, (store) => store.set(notes, "k0", value, { tags: ["t"] }), {
    kv: () => ({}),
    durable: () => ({ rpcs: 1, rowsRead: 2, puts: 1 })
  })
  law("many writes", nothing, written, {
    kv: (count) => ({ writes: count, calls: count, bytes: count * size, puts: count }),
    durable: (count) => ({ rpcs: 1, rowsWritten: count + dirty, puts: count })
  })
  law("a delete", written, (store) => store.delete(notes, "k0"), {
    kv: () => ({ deletes: 1, calls: 1, drops: 1 }),
    durable: () => ({ rpcs: 1, rowsRead: 1, rowsWritten: 1, drops: 1 })
  })
  law("a list", written, (store) => store.list(notes, {}), {
    kv: () => ({ reads: tagToo, lists: 1, calls: 1 + tagToo, matches: 1 + tagToo, puts: 1 + tagToo }),
    durable: (count) => ({ rpcs: 1, rowsRead: count, matches: 1, puts: 1 })
  })
  law("an invalidation of two tags", written, (store) => store.invalidateTags(["t", "u", "t"]), {
    kv: (count) => ({ writes: 2, calls: 2, bytes: 2 * JSON.stringify([0, count + 1, "~test"]).length, puts: 2 }),
    durable: () => ({ rpcs: 1, rowsRead: 1, rowsWritten: 2 })
  })
  law("a clear", written, (store) => store.clear(notes), {
    kv: (count) => ({ deletes: count, lists: 1, calls: 1 + count }),
    durable: () => ({ rpcs: 1, rowsRead: 1, rowsWritten: 1 })
  })

  const plain = define("plain", { jitter: 0, memoryTtl: 0, edgeTtl: 0 })

  it.effect.prop(
    "any number of keys take one read each, in one call for every hundred (kv mode), or one RPC (durable mode)",
    [sizesAround(100, 3.5).filter((count) => count > 0)],
    ([count]) => {
      const reading = Effect.asVoid(Effect.flatMap(Store, (store) => store.getMany(plain, keysOf(count))))
      // One key left over is asked for by itself.
      const cost = { reads: count, calls: Math.ceil(count / 100) }
      return virtually(
        Effect.zipRight(
          Effect.provide(costs(reading, cost), costly.kv()),
          Effect.provide(costs(reading, { rpcs: 1 }), costly.durable())
        )
      )
    },
    { fastCheck: { numRuns: runs(20) } }
  )
})

it("an operation that costs more than it may, or leaves something open, is noticed", async () => {
  const cheap = Effect.flatMap(Store, (store) => costs(store.get(notes, "a"), {}))
  const leaking = Effect.flatMap(ReadPath, (readPath) =>
    costs(
      Effect.sync(() => readPath.lease(addressOf(notes, "a"), zeroStamp)),
      {}
    )
  )
  const fails = <E>(story: Effect.Effect<unknown, E>) => Effect.runPromise(Effect.exit(story))
  expect(String(await fails(Effect.provide(cheap, costly.kv())))).toContain("AssertionError")
  expect(String(await fails(Effect.provide(leaking, costly.kv())))).toContain("AssertionError")
})
