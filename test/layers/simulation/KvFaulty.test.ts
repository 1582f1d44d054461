import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import { contract } from "../../contracts/kv/Kv.ts"
import { runs } from "../../support/runs.ts"

contract("KvFaulty, without faults,", () => KvFaulty.make(KvMemory.make(), () => undefined), { runs: runs(25) })

const value = Uint8Array.of(1)

const world = (faults: ReadonlyArray<KvFaulty.Fault | undefined>) => {
  const store = KvMemory.make()
  return { store, kv: KvFaulty.make(store, KvFaulty.scripted(faults)) }
}

it.effect("a failed write left nothing, a lost one left what it wrote, and the next is well", () =>
  Effect.gen(function* () {
    const { store, kv } = world([
      { kind: "fail", reason: "RateLimited" },
      { kind: "lost", reason: "Unavailable" }
    ])
    expect((yield* Effect.flip(kv.put("a", value))).reason).toBe("RateLimited")
    expect(Option.isNone(yield* store.get("a"))).toBe(true)
    expect((yield* Effect.flip(kv.put("a", value))).reason).toBe("Unavailable")
    expect(Option.isSome(yield* store.get("a"))).toBe(true)
    yield* kv.delete("a")
    expect(Option.isNone(yield* kv.get("a"))).toBe(true)
  })
)

it.effect.each([true, false])(
  "a write that hangs never answers; whether it was applied (%s) is the plan's",
  (applied) =>
    Effect.gen(function* () {
      const { store, kv } = world([{ kind: "hang", applied }])
      const writing = yield* Effect.fork(kv.put("a", value))
      yield* TestClock.adjust("1 day")
      expect(Option.isNone(yield* Fiber.poll(writing))).toBe(true)
      expect(Option.isSome(yield* store.get("a"))).toBe(applied)
    })
)

it.effect("a delayed operation takes effect late", () =>
  Effect.gen(function* () {
    const { store, kv } = world([{ kind: "delay", by: Duration.seconds(3) }])
    const writing = yield* Effect.fork(kv.put("a", value))
    yield* TestClock.adjust("2999 millis")
    expect(Option.isNone(yield* store.get("a"))).toBe(true)
    yield* TestClock.adjust("1 millis")
    yield* Fiber.join(writing)
    expect(Option.isSome(yield* store.get("a"))).toBe(true)
  })
)

it.effect("a seeded plan is the same every time, and as faulty as it says", () =>
  Effect.gen(function* () {
    const fates = (seed: number) =>
      Effect.gen(function* () {
        const plan = KvFaulty.seeded(seed, 0.25, [
          { kind: "fail", reason: "Unavailable" },
          { kind: "lost", reason: "RateLimited" }
        ])
        const kv = KvFaulty.make(KvMemory.make(), plan)
        return yield* Effect.forEach(Array.from({ length: 1000 }), () =>
          Effect.match(kv.get("a"), { onFailure: (error) => error.reason, onSuccess: () => "well" })
        )
      })
    const told = yield* fates(1)
    expect(yield* fates(1)).toEqual(told)
    expect(yield* fates(2)).not.toEqual(told)
    for (const reason of ["Unavailable", "RateLimited"]) {
      const share = told.filter((fate) => fate === reason).length / 1000
      expect(share).toBeGreaterThan(0.08)
      expect(share).toBeLessThan(0.17)
    }
  })
)
