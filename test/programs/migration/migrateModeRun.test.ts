import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { KvOperation } from "../../../src/services/kv/Kv.ts"
import { otherThan } from "../../../src/services/migration/RecordedMode.ts"
import { begin, finish, invalidate, modes, put, remove, textIn } from "../../support/migration/modesActs.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"

describe("a run", () => {
  const kinds: ReadonlyArray<readonly [string, (operation: KvOperation) => "fail" | "lost"]> = [
    ["refused", () => "fail"],
    ["done, and its reply lost", () => "lost"]
  ]

  it.effect.each(modes.flatMap((to) => kinds.map(([name, kind]) => [to, name, kind] as const)))(
    "to %s that dies at any KV operation, which was %s, is finished by the next",
    ([to, _, kind]) =>
      Effect.gen(function* () {
        const from = otherThan(to)
        for (let dies = 0; dies < 40; dies++) {
          const calls = { count: 0 }
          const world = yield* ModesWorld.make({
            faults: (operation) =>
              calls.count++ === dies ? { kind: kind(operation), reason: "Unavailable" } : undefined
          })
          yield* begin
          for (const key of ["a", "b", "c", "d"]) yield* put(world, from, key, key, ["t"])
          yield* finish(world, to)
          yield* remove(world, from, "a")
          yield* put(world, from, "b", "2")
          yield* put(world, to, "c", "3")
          yield* put(world, from, "e")
          world.switches.faulty = true
          const died = yield* Effect.either(finish(world, to))
          world.switches.faulty = false
          if (died._tag === "Right") {
            expect(calls.count).toBeLessThanOrEqual(dies)
            return
          }
          yield* finish(world, to)
          const values = yield* Effect.forEach(["a", "b", "c", "d", "e"], (key) => textIn(world, to, key))
          expect(values).toStrictEqual([undefined, "2", "3", "d", "e"])
          yield* remove(world, to, "e")
          yield* finish(world, to)
          expect(yield* textIn(world, to, "e")).toBeUndefined()
        }
        expect.unreachable("a run has fewer operations")
      })
  )

  it.effect("stops when its operations are spent, and goes on from its cursor", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      for (let number = 0; number < 7; number++) yield* put(world, "durable", `k${number}`)
      const parts = [yield* world.migrate({ to: "kv", pageEntries: 2, operations: 1 })]
      while (parts.at(-1)!.cursor !== undefined) {
        parts.push(yield* world.migrate({ to: "kv", pageEntries: 2, operations: 1, cursor: parts.at(-1)!.cursor }))
      }
      expect(parts.map(({ copied }) => copied)).toStrictEqual([0, 0, 2, 2, 2, 1])
      expect(parts.map(({ cursor }) => cursor?.split(".")[1])).toStrictEqual([
        "drop",
        "copy",
        "copy",
        "copy",
        "copy",
        undefined
      ])
      const wrong = yield* Effect.flip(world.migrate({ to: "durable", cursor: parts[0]!.cursor }))
      expect(wrong).toMatchObject({ reason: "BadCursor" })
    })
  )

  it.effect("goes on without an entry that KV refuses just now, and says that another pass is needed", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make({
        faults: (operation) => (operation === "put" ? { kind: "fail", reason: "RateLimited" } : undefined)
      })
      yield* begin
      yield* put(world, "durable", "a")
      world.switches.faulty = true
      expect(yield* world.migrate({ to: "kv" })).toMatchObject({ copied: 0, refused: 1, settled: false })
      world.switches.faulty = false
      expect(yield* world.migrate({ to: "kv" })).toMatchObject({ copied: 1, refused: 0, settled: true })
    })
  )

  it.effect.each(modes)("to %s bills what its dry run said, and the dry run changes nothing", (to) =>
    Effect.gen(function* () {
      const from = otherThan(to)
      const world = yield* ModesWorld.make()
      yield* begin
      for (let number = 0; number < 5; number++) yield* put(world, from, `k${number}`)
      const said = yield* world.migrate({ to, dryRun: true })
      expect(said).toMatchObject({ entries: 5, copied: 5, dropped: 0, cursor: undefined, dryRun: true })
      expect(yield* textIn(world, to, "k0")).toBeUndefined()
      const before = world.ledger.report()
      const done = yield* world.migrate({ to })
      const after = world.ledger.report()
      for (const kind of ["reads", "writes", "deletes", "lists"] as const) {
        const billed = after.byNamespace.CACHE_KV!.kv[kind] - before.byNamespace.CACHE_KV!.kv[kind]
        expect([kind, billed]).toStrictEqual([kind, said.billed.kv[kind]])
      }
      expect(done.billed.durableObject.rowsWritten).toBeGreaterThanOrEqual(said.billed.durableObject.rowsWritten)
      expect(done.copied).toBe(said.copied)
      expect(said.usd).toBeGreaterThan(0)
      expect(yield* world.migrate({ to, dryRun: true })).toMatchObject({ copied: 0 })
    })
  )
})

describe("while the objects cannot be reached", () => {
  it.effect("a run to KV takes the snapshot, and one later brings what the snapshot did not have", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make({ shards: 2 })
      yield* begin
      for (const key of ["a", "b", "c"]) yield* put(world, "durable", key, key, ["t"])
      yield* put(world, "durable", "dead", "1", ["u"])
      yield* invalidate(world, "durable", "u")
      yield* world.durable.flush
      yield* put(world, "durable", "d")
      yield* remove(world, "durable", "c")
      world.switches.unreachable = true
      const first = yield* finish(world, "kv")
      expect(first).toMatchObject({ from: "snapshot", settled: false })
      expect(yield* textIn(world, "kv", "a")).toBe("a")
      expect(yield* textIn(world, "kv", "dead")).toBeUndefined()
      yield* remove(world, "kv", "a")
      yield* put(world, "kv", "b", "2")
      const again = yield* finish(world, "kv")
      expect(again).toMatchObject({ from: "snapshot", copied: 0, settled: false })
      expect(yield* textIn(world, "kv", "a")).toBeUndefined()
      world.switches.unreachable = false
      const last = yield* finish(world, "kv")
      expect(last).toMatchObject({ from: "durable", settled: true })
      const values = yield* Effect.forEach(["a", "b", "c", "d"], (key) => textIn(world, "kv", key))
      expect(values).toStrictEqual([undefined, "2", undefined, "d"])
    })
  )

  it.effect("a run to the objects fails, and changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      yield* put(world, "kv", "a")
      world.switches.unreachable = true
      expect(yield* Effect.flip(world.migrate({ to: "durable" }))).toMatchObject({ reason: "Unavailable" })
      expect(yield* textIn(world, "kv", "a")).toBe("a")
    })
  )

  it.effect.each([true, false])("what had to be kept outside of them is handed over, too (reached again: %s)", (back) =>
    Effect.gen(function* () {
      const world = yield* ModesWorld.make()
      yield* begin
      yield* put(world, "durable", "a")
      yield* world.durable.flush
      world.switches.unreachable = true
      const { acknowledged } = yield* put(world, "durable", "a", "outside")
      expect(acknowledged).toBe("outside")
      world.switches.unreachable = !back
      yield* finish(world, "kv")
      expect(yield* textIn(world, "kv", "a")).toBe("outside")
    })
  )
})
