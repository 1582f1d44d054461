import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import { shardObjectName } from "../../../src/layers/durable/object/shardProtocol.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import type { Conditions } from "../../../src/services/base/model/Preconditions.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { entityTag } from "../../../src/services/store/model/EntityTag.ts"
import type { Entry } from "../../../src/services/store/model/Entry.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import { makeHistory } from "../../support/durable/durableHistory.ts"
import { fate } from "../../support/durable/durableScenario.ts"
import * as DurableWorld from "../../support/durable/durableWorld.ts"
import { runs, seedOr } from "../../support/runs.ts"
import { lookups, text } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { directMode, durableMode, kvMode } from "../../support/worlds.ts"

const bare = define("bare", { jitter: 0, memoryTtl: 0, edgeTtl: 0, negativeTtl: 0 })
const notes = define("notes", { jitter: 0 })

const asIs = (entry: Entry | undefined): Conditions =>
  entry === undefined ? { ifNoneMatch: "*" } : { ifMatch: entityTag(entry) }

const plan = fc.record({
  seed: fc.nat(1000),
  writers: fc.integer({ min: 2, max: 9 }),
  rounds: fc.integer({ min: 1, max: 4 }),
  fates: fc.oneof(fc.constant([]), fc.array(fate, { maxLength: 60 })),
  restarts: fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 3 }),
  outages: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 5000 })), { maxLength: 2 }),
  skews: fc.constantFrom([0, 0, 0], [300, -300, 0])
})

type Plan = typeof plan extends fc.Arbitrary<infer A> ? A : never

/** Writers on three isolates, each of which adds one to the same counter, `rounds` times. */
const race = ({ fates, outages, restarts, rounds, seed, skews, writers }: Plan) => {
  const start = 1_700_000_000_000
  const time = VirtualTime.make(start, seed)
  const setup = { seed, shards: 1, reshards: false, skews, edge: false, fates, faults: [], pageRows: 10 }
  const history = makeHistory(() => Math.floor(time.now()), setup, start)
  const acknowledged: Array<number> = []
  const counts = { unmet: 0, unknown: 0, outside: 0 }

  const add = (store: Store["Type"], run: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const read = yield* Effect.either(run(store.get(bare, "counter")))
      if (Either.isLeft(read)) return yield* Effect.sleep(500)
      const { entry } = read.right
      const next = (entry === undefined ? 0 : Number(text(read.right))) + 1
      const written = yield* Effect.either(
        run(store.set(bare, "counter", bytes(`${next}`), { condition: asIs(entry) }))
      )
      if (Either.isRight(written)) {
        if (written.right.acknowledged === "outside") counts.outside += 1
        acknowledged.push(next)
      } else counts[written.left.reason === "ConditionFailed" ? "unmet" : "unknown"] += 1
    })

  const exit = time.run(
    Effect.gen(function* () {
      const world = yield* DurableWorld.make(setup, {
        ...history,
        watch: (_, shard) => shard,
        holderOf: () => shardObjectName(0)
      })
      for (const [isolate, millis] of outages) world.outage(isolate, 0, millis)
      yield* Effect.forkDaemon(
        Effect.forEach(restarts, (wait) => Effect.delay(world.restart(shardObjectName(0)), wait), { discard: true })
      )
      yield* Effect.forEach(
        Array.from({ length: writers }, (_, writer) => world.isolates[writer % 3]!),
        ({ run, store }) => Effect.repeatN(add(store, run), rounds - 1),
        { concurrency: "unbounded", discard: true }
      )
      yield* Effect.sleep(DurableWorld.longestOperation)
      world.heal()
      yield* Effect.sleep("1 minutes")
      const { run, store } = world.isolates[0]!
      const last = yield* run(store.get(bare, "counter"))
      return last.entry === undefined ? 0 : Number(text(last))
    })
  )
  if (Exit.isFailure(exit)) throw new Error(`${Cause.pretty(exit.cause)}\n${history.lines.join("\n")}`)
  return { acknowledged, counts, total: exit.value, lines: history.lines }
}

describe("writers that race under a condition", () => {
  const seen = { unmet: 0, unknown: 0, outside: 0, acknowledged: 0 }

  it("lose no increment that was acknowledged, and none counts twice, whatever becomes of replies and objects", () => {
    fc.assert(
      fc.property(plan, (plan) => {
        const { acknowledged, counts, lines, total } = race(plan)
        const why = lines.join("\n")
        assert.strictEqual(new Set(acknowledged).size, acknowledged.length, why)
        assert.isAtLeast(total, acknowledged.length, why)
        assert.isAtMost(total, acknowledged.length + counts.unknown, why)
        seen.acknowledged += acknowledged.length
        for (const name of ["unmet", "unknown", "outside"] as const) seen[name] += counts[name]
      }),
      { numRuns: runs(60), seed: seedOr(18) }
    )
    assert.strictEqual(seen.outside, 0)
    for (const name of ["acknowledged", "unmet", "unknown"] as const) assert.isAbove(seen[name], runs(20), name)
  })

  it("where nothing fails, one of N wins each round and the others are told so", () => {
    const { acknowledged, counts, total } = race({
      seed: 1,
      writers: 9,
      rounds: 4,
      fates: [],
      restarts: [],
      outages: [],
      skews: [0, 0, 0]
    })
    assert.strictEqual(total, acknowledged.length)
    assert.strictEqual(acknowledged.length + counts.unmet, 36)
    assert.strictEqual(counts.unknown, 0)
  })
})

describe("a write under a condition", () => {
  const durable = (title: string, body: Effect.Effect<void, unknown, Store>) =>
    it.effect(title, () => virtually(Effect.provide(body, durableMode({ shards: 2 }))))

  durable(
    "to an absent key is made where there must be none, and not where there must be one",
    Effect.gen(function* () {
      const store = yield* Store
      const unmet = (effect: Effect.Effect<unknown, { readonly reason: string }>) =>
        Effect.map(Effect.flip(effect), ({ reason }) => assert.strictEqual(reason, "ConditionFailed"))
      yield* unmet(store.set(notes, "a", bytes("1"), { condition: { ifMatch: "*" } }))
      yield* unmet(store.set(notes, "a", bytes("1"), { condition: { ifMatch: '"x"' } }))
      yield* unmet(store.delete(notes, "a", { condition: { ifMatch: "*" } }))
      yield* store.delete(notes, "a", { condition: { ifNoneMatch: "*" } })
      yield* store.set(notes, "a", bytes("1"), { condition: { ifNoneMatch: "*" } })
      yield* unmet(store.set(notes, "a", bytes("2"), { condition: { ifNoneMatch: "*" } }))
      yield* unmet(store.delete(notes, "a", { condition: { ifNoneMatch: "*" } }))
      assert.strictEqual(text(yield* store.get(notes, "a")), "1")
    })
  )

  durable(
    "compares strongly, knows lists, and takes an expired, deleted or invalidated entry for none",
    Effect.gen(function* () {
      const store = yield* Store
      const over = [
        store.delete(notes, "a"),
        Effect.sleep("61 seconds"),
        store.invalidateTags(["t"]),
        store.clear(notes)
      ]
      for (const end of over) {
        yield* store.set(notes, "a", bytes("1"), { tags: ["t"], ttl: 60_000 })
        const { entry } = yield* store.get(notes, "a")
        const tag = entityTag(entry!)
        const weak = yield* Effect.flip(store.delete(notes, "a", { condition: { ifMatch: `W/${tag}` } }))
        assert.strictEqual(weak.reason, "ConditionFailed")
        yield* store.set(notes, "a", bytes("2"), { tags: ["t"], ttl: 60_000, condition: { ifMatch: `"x", ${tag}` } })
        yield* end
        yield* store.set(notes, "a", bytes("3"), { condition: { ifNoneMatch: "*" } })
      }
    })
  )

  durable(
    "that did not hold leaves the next read to the store of record",
    Effect.gen(function* () {
      const store = yield* Store
      yield* store.set(notes, "a", bytes("1"))
      yield* store.get(notes, "a")
      assert.isDefined(store.held(notes, "a", 0))
      yield* Effect.flip(store.set(notes, "a", bytes("2"), { condition: { ifMatch: '"x"' } }))
      assert.isUndefined(store.held(notes, "a", 0))
    })
  )

  durable(
    "in a batch has its own answer, and stands beside others without",
    Effect.gen(function* () {
      const store = yield* Store
      yield* store.set(notes, "a", bytes("1"))
      const results = yield* store.writeMany(notes, [
        { key: "a", value: bytes("2"), condition: { ifNoneMatch: "*" } },
        { key: "b", value: bytes("2"), condition: { ifNoneMatch: "*" } },
        { key: "c", value: bytes("2") },
        { key: "d", remove: true, condition: { ifMatch: "*" } },
        { key: "e", value: bytes("2") },
        { key: "e", value: bytes("3"), condition: { ifNoneMatch: "*" } }
      ])
      assert.deepStrictEqual(
        results.map((result) => (result._tag === "Done" ? "stored" : result.error.reason)),
        ["ConditionFailed", "stored", "stored", "ConditionFailed", "NamedTwice", "NamedTwice"]
      )
      assert.deepStrictEqual((yield* lookups(store, notes, ["a", "b", "c", "e"])).map(text), ["1", "2", "2", undefined])
    })
  )

  for (const [name, mode] of [
    ["KV", kvMode],
    ["direct", directMode]
  ] as const) {
    it.effect(`is refused where the store of record is KV (${name}), and changes nothing`, () =>
      virtually(
        Effect.provide(
          Effect.gen(function* () {
            const store = yield* Store
            yield* store.set(notes, "a", bytes("1"))
            const condition = { ifMatch: "*" }
            const failures = [
              yield* Effect.flip(store.set(notes, "a", bytes("2"), { condition })),
              yield* Effect.flip(store.delete(notes, "a", { condition }))
            ]
            assert.deepStrictEqual(
              failures.map(({ reason }) => reason),
              ["NeedsDurableMode", "NeedsDurableMode"]
            )
            assert.strictEqual(text(yield* store.get(notes, "a")), "1")
          }),
          mode()
        )
      )
    )
  }
})
