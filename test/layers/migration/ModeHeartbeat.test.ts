import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as ModeHeartbeatBinding from "../../../src/layers/migration/ModeHeartbeatBinding.ts"
import * as ModeHeartbeatStorage from "../../../src/layers/migration/ModeHeartbeatStorage.ts"
import type { ModeHeartbeat } from "../../../src/services/migration/ModeHeartbeat.ts"

/** The first object, counting the rows it writes; what it kept outlives it. */
const makeObject = () => {
  const kept = new Map<string, unknown>()
  const object = { rowsWritten: 0, named: new Set<string>(), broken: undefined as (() => Promise<never>) | undefined }
  const storage = () =>
    ModeHeartbeatStorage.make({
      get: <A>(key: string) => kept.get(key) as A | undefined,
      put: (key, beat) => {
        object.rowsWritten += 1
        kept.set(key, structuredClone(beat))
      },
      delete: (key) => kept.delete(key)
    })
  return { object, storage }
}

const worlds: ReadonlyArray<readonly [string, () => Effect.Effect<ModeHeartbeat["Type"]>]> = [
  ["ModeHeartbeatStorage", () => Effect.sync(() => makeObject().storage())],
  [
    "ModeHeartbeatBinding",
    () =>
      Effect.map(Effect.clock, (clock) => {
        const { storage } = makeObject()
        const heartbeat = async (operation: "goOn" | "confirm" | "stop") =>
          (await Effect.runPromise(Effect.withClock(storage()[operation] as Effect.Effect<unknown>, clock))) === true
        return ModeHeartbeatBinding.make({ getByName: () => ({ heartbeat }) }, LedgerMemory.make(0))
      })
  ]
]

describe.each(worlds)("%s", (_, make) => {
  it.effect("goes on from cron to cron once two have read, and ends with a gap or when it is stopped", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("100 days")
      const { confirm, goOn, stop } = yield* make()
      const cron = Effect.zipRight(TestClock.adjust("5 minutes"), goOn)
      const readingCron = Effect.zipLeft(cron, confirm)
      expect(yield* readingCron).toBe(false)
      expect(yield* readingCron).toBe(false)
      for (let times = 0; times < 20; times++) expect(yield* cron).toBe(true)
      yield* TestClock.adjust("5 minutes")
      expect(yield* readingCron).toBe(false)
      expect(yield* readingCron).toBe(false)
      expect(yield* cron).toBe(true)
      yield* stop
      expect(yield* readingCron).toBe(false)
      expect(yield* readingCron).toBe(false)
      expect(yield* cron).toBe(true)
    })
  )
})

describe("ModeHeartbeatStorage", () => {
  it.effect("outlives its object, for one row a cron", () =>
    Effect.gen(function* () {
      const { object, storage } = makeObject()
      yield* storage().confirm
      yield* TestClock.adjust("5 minutes")
      yield* storage().confirm
      expect(yield* storage().goOn).toBe(true)
      expect(object.rowsWritten).toBe(3)
    })
  )
})

describe("ModeHeartbeatBinding", () => {
  it.effect("asks the first object, and fails with a typed error when that fails or never answers", () =>
    Effect.gen(function* () {
      const ledger = LedgerMemory.make(0)
      const named = new Set<string>()
      const answering = (heartbeat: () => Promise<unknown>) =>
        ModeHeartbeatBinding.make(
          {
            getByName: (name) => {
              named.add(name)
              return { heartbeat }
            }
          },
          ledger
        )
      const failing = answering(() => Promise.reject(new Error("gone")))
      expect(yield* Effect.flip(failing.confirm)).toMatchObject({ operation: "confirm", reason: "Unavailable" })
      const asking = yield* Effect.fork(Effect.flip(answering(() => new Promise(() => {})).goOn))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(asking)).toMatchObject({ operation: "goOn", reason: "Unavailable" })
      expect([...named]).toStrictEqual(["shard-0"])
      expect(ledger.report().total.durableObject.requests).toBe(1)
    })
  )
})
