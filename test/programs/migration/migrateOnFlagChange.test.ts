import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Mode } from "../../../src/services/migration/RecordedMode.ts"
import { bytes } from "../../contracts/kv/kvValues.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

const [plain] = ModesWorld.collections

const put = (world: ModesWorld.World, mode: Mode, key: string) =>
  Effect.zipRight(
    TestClock.adjust("1 millis"),
    world.in(mode, (store) => store.set(plain, key, bytes(key)))
  )

const has = (world: ModesWorld.World, mode: Mode, key: string) =>
  Effect.map(
    world.in(mode, (store) => store.get(plain, key)),
    ({ entry }) => entry !== undefined
  )

const story = (title: string, body: (world: ModesWorld.World) => Effect.Effect<void, unknown>) =>
  it.effect(title, () =>
    virtually(
      Effect.gen(function* () {
        yield* TestClock.adjust("100 days")
        yield* body(yield* ModesWorld.make())
      })
    )
  )

const fiveMinutes = TestClock.adjust("5 minutes")

describe("a cron", () => {
  story("records the mode it meets first, and copies nothing nobody has asked for", (world) =>
    Effect.gen(function* () {
      yield* put(world, "kv", "a")
      expect(yield* world.follow("durable")).toBeUndefined()
      expect(yield* world.follow("durable")).toBeUndefined()
      expect(yield* has(world, "durable", "a")).toBe(false)
    })
  )

  story("stops at a record that cannot be read, hands nothing over, and leaves the record as it is", (world) =>
    Effect.gen(function* () {
      yield* world.follow("durable")
      yield* put(world, "durable", "a")
      const damaged = bytes('{"mode":"durable","to":')
      yield* world.own.put("~~mode", damaged)
      for (let cron = 0; cron < 3; cron++) {
        expect(yield* Effect.flip(world.follow("kv"))).toMatchObject({ _tag: "RecordedModeError", reason: "Damaged" })
        expect(yield* Effect.flip(world.command("kv"))).toMatchObject({ _tag: "RecordedModeError" })
        yield* fiveMinutes
      }
      expect(yield* has(world, "kv", "a")).toBe(false)
      expect(Option.getOrThrow(yield* world.own.get("~~mode")).value).toStrictEqual(damaged)
    })
  )

  story("hands over when it sees the flag changed, once more ten minutes later, and then never again", (world) =>
    Effect.gen(function* () {
      yield* world.follow("durable")
      yield* put(world, "durable", "a")
      expect(yield* world.follow("kv")).toMatchObject({ to: "kv", copied: 1, settled: true })
      expect(yield* has(world, "kv", "a")).toBe(true)
      yield* put(world, "durable", "late")
      yield* fiveMinutes
      expect(yield* world.follow("kv")).toBeUndefined()
      yield* fiveMinutes
      expect(yield* world.follow("kv")).toMatchObject({ copied: 1 })
      expect(yield* has(world, "kv", "late")).toBe(true)
      for (let cron = 0; cron < 5; cron++) {
        yield* fiveMinutes
        expect(yield* world.follow("kv")).toBeUndefined()
      }
    })
  )

  it.effect("hands back what isolates wrote under a flag that was changed back before all was handed over", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("100 days")
      const world = yield* ModesWorld.make({
        faults: (operation) => (operation === "put" ? { kind: "fail", reason: "Unavailable" } : undefined)
      })
      yield* world.follow("durable")
      yield* put(world, "durable", "a")
      world.switches.faulty = true
      expect(yield* Effect.flip(world.follow("kv"))).toMatchObject({ reason: "Unavailable" })
      world.switches.faulty = false
      yield* put(world, "kv", "b")
      expect(yield* world.follow("durable")).toMatchObject({ to: "durable", copied: 1 })
      expect(yield* has(world, "durable", "b")).toBe(true)
      expect(yield* has(world, "durable", "a")).toBe(true)
    })
  )

  story("repeats a pass from the snapshot until the objects answer", (world) =>
    Effect.gen(function* () {
      yield* world.follow("durable")
      yield* put(world, "durable", "a")
      yield* world.durable.flush
      yield* put(world, "durable", "b")
      world.switches.unreachable = true
      expect(yield* world.follow("kv")).toMatchObject({ from: "snapshot", copied: 1 })
      for (let pass = 0; pass < 3; pass++) {
        yield* TestClock.adjust("10 minutes")
        expect(yield* world.follow("kv")).toMatchObject({ from: "snapshot" })
      }
      world.switches.unreachable = false
      yield* TestClock.adjust("10 minutes")
      expect(yield* world.follow("kv")).toMatchObject({ from: "durable", settled: true })
      expect(yield* has(world, "kv", "b")).toBe(true)
      yield* TestClock.adjust("10 minutes")
      expect(yield* world.follow("kv")).toBeUndefined()
    })
  )

  story("goes on where the one before it stopped, in as many invocations as it takes", (world) =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 1000 }, (_, number) => `k${String(number).padStart(4, "0")}`)
      yield* world.follow("durable")
      yield* world.in("durable", (store) =>
        store.writeMany(
          plain,
          keys.map((key) => ({ key, value: bytes(key) }))
        )
      )
      const parts: Array<number> = []
      for (;;) {
        const part = yield* world.follow("kv")
        parts.push(part!.copied)
        if (part!.cursor === undefined) break
        expect(part!.copied).toBeLessThan(1000)
      }
      expect(parts.length).toBeGreaterThan(1)
      expect(parts.reduce((sum, copied) => sum + copied)).toBe(1000)
      for (const key of keys) expect(yield* has(world, "kv", key)).toBe(true)
      yield* TestClock.adjust("10 minutes")
      expect(yield* world.follow("kv")).toMatchObject({ entries: 1000, copied: 0, cursor: undefined })
    })
  )

  /** KV operations of all kinds that this many crons spend, five minutes apart. */
  const spentBy = (world: ModesWorld.World, mode: Mode, crons: number) =>
    Effect.gen(function* () {
      const total = () => Object.values(world.ledger.report().total.kv).reduce((sum, count) => sum + count)
      const before = total()
      for (let cron = 0; cron < crons; cron++) {
        yield* fiveMinutes
        yield* world.follow(mode)
      }
      return total() - before
    })

  story("costs no KV operation in the durable mode, and one read in the KV mode, while the flag stays", (world) =>
    Effect.gen(function* () {
      yield* spentBy(world, "durable", 2)
      expect(yield* spentBy(world, "durable", 24)).toBe(0)
      yield* spentBy(world, "kv", 4)
      expect(yield* spentBy(world, "kv", 24)).toBe(24)
      yield* spentBy(world, "durable", 5)
      expect(yield* spentBy(world, "durable", 24)).toBe(0)
      world.switches.unreachable = true
      expect(yield* spentBy(world, "durable", 10)).toBe(10)
      world.switches.unreachable = false
      yield* spentBy(world, "durable", 2)
      expect(yield* spentBy(world, "durable", 10)).toBe(0)
    })
  )

  story("goes on with a migration on command that was stopped, however steady the crons were before it", (world) =>
    Effect.gen(function* () {
      yield* spentBy(world, "durable", 4)
      for (let key = 0; key < 150; key++) yield* put(world, "kv", `k${key}`)
      const begun = yield* world.command("durable", 1)
      expect(begun.cursor).toBeDefined()
      yield* fiveMinutes
      const rest = yield* world.follow("durable")
      expect(rest?.cursor).toBeUndefined()
      expect(begun.copied + rest!.copied).toBe(150)
      yield* spentBy(world, "durable", 4)
      expect(yield* spentBy(world, "durable", 10)).toBe(0)
    })
  )

  it.effect.prop(
    "whatever the flag does from cron to cron, and whether the objects answer, nothing put in either mode stays behind",
    [
      fc.array(fc.record({ mode: fc.constantFrom<Mode>("kv", "durable"), unreachable: fc.boolean() }), {
        minLength: 1,
        maxLength: 12
      })
    ],
    ([steps]) =>
      virtually(
        Effect.gen(function* () {
          yield* TestClock.adjust("100 days")
          const world = yield* ModesWorld.make()
          yield* world.follow(steps[0]!.mode)
          const keys: Array<string> = []
          for (const { mode, unreachable } of steps) {
            yield* fiveMinutes
            world.switches.unreachable = false
            keys.push(`k${keys.length}`)
            yield* put(world, mode, keys.at(-1)!)
            world.switches.unreachable = unreachable
            yield* Effect.ignore(world.follow(mode))
          }
          world.switches.unreachable = false
          const { mode } = steps.at(-1)!
          for (let cron = 0; cron < 3; cron++) {
            yield* fiveMinutes
            yield* world.follow(mode)
          }
          for (const key of keys) expect([key, yield* has(world, mode, key)]).toStrictEqual([key, true])
        })
      ),
    { fastCheck: { numRuns: runs(20) } }
  )

  story("begins anew with a cursor that is refused", (world) =>
    Effect.gen(function* () {
      yield* put(world, "durable", "a")
      yield* world.record({ mode: "durable", to: "kv", cursor: "kv.nonsense" })
      expect(yield* Effect.flip(world.follow("kv"))).toMatchObject({ reason: "BadCursor" })
      expect(yield* world.follow("kv")).toMatchObject({ copied: 1, cursor: undefined })
    })
  )
})
