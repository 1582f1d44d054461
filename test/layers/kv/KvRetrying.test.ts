import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvRetrying from "../../../src/layers/kv/KvRetrying.ts"
import * as RetryPolicyCron from "../../../src/layers/kv/RetryPolicyCron.ts"
import * as RetryPolicyHttp from "../../../src/layers/kv/RetryPolicyHttp.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import type { Kv, KvError, KvReason } from "../../../src/services/kv/Kv.ts"
import type { RetryPolicy } from "../../../src/services/kv/RetryPolicy.ts"
import { contract } from "../../contracts/kv/Kv.ts"
import { runs } from "../../support/runs.ts"

contract("KvRetrying", () => KvRetrying.make(KvMemory.make(), RetryPolicyHttp.make), { runs: runs(25) })

const value = Uint8Array.of(1)

/** When each try happened, in milliseconds from the first, as long as all of them fail with the reason. */
const tries = (policy: Context.Tag.Service<RetryPolicy>, reason: KvReason) =>
  Effect.gen(function* () {
    const at: Array<number> = []
    const inner = KvMemory.make()
    const kv: Context.Tag.Service<Kv> = {
      ...inner,
      get: () =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          at.push(now)
          return KvFaulty.make(inner, () => ({ kind: "fail", reason })).get("k")
        })
    }
    const reading = yield* Effect.fork(KvRetrying.make(kv, policy).get("k"))
    for (let i = 0; i < 400; i++) yield* TestClock.adjust("250 millis")
    yield* Effect.flip(Fiber.join(reading))
    return at
  })

describe("for requests", () => {
  it.effect("a failure is tried twice more and told within a second", () =>
    Effect.gen(function* () {
      const at = yield* tries(RetryPolicyHttp.make, "Unavailable")
      expect(at.length).toBe(3)
      expect(at[2]).toBeLessThanOrEqual(1000)
    })
  )

  it.effect("a reply that was lost does no harm", () =>
    Effect.gen(function* () {
      const store = KvMemory.make()
      const plan = KvFaulty.scripted([{ kind: "lost", reason: "Unavailable" }])
      const kv = KvRetrying.make(KvFaulty.make(store, plan), RetryPolicyHttp.make)
      const writing = yield* Effect.fork(kv.put("k", value))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(writing)
      expect((yield* store.get("k"))._tag).toBe("Some")
    })
  )
})

describe("for crons", () => {
  it.effect("a failure is tried for about a minute, never two tries within a second", () =>
    Effect.gen(function* () {
      const at = yield* tries(RetryPolicyCron.make, "Unavailable")
      expect(at.length).toBeGreaterThan(6)
      expect(at.at(-1)).toBeGreaterThan(45_000)
      expect(at.at(-1)).toBeLessThan(65_000)
      for (let i = 1; i < at.length; i++) expect(at[i]! - at[i - 1]!).toBeGreaterThanOrEqual(1000)
    })
  )

  it.effect("a write that comes within a second of another gets through", () =>
    Effect.gen(function* () {
      const world = KvSimulated.makeWorld({ latency: "none" })
      const kv = KvRetrying.make(world.at(0), RetryPolicyCron.make)
      yield* kv.put("k", value)
      const writing = yield* Effect.fork(kv.put("k", Uint8Array.of(2)))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(writing)
      expect(world.current("k", 2000)?.value).toEqual(Uint8Array.of(2))
    })
  )
})

const operations: ReadonlyArray<readonly [string, (kv: Context.Tag.Service<Kv>) => Effect.Effect<unknown, KvError>]> = [
  ["get", (kv) => kv.get("k")],
  ["getBulk", (kv) => kv.getBulk(["k"])],
  ["put", (kv) => kv.put("k", value)],
  ["delete", (kv) => kv.delete("k")],
  ["list", (kv) => kv.list()]
]

it.effect.each(operations)("%s is tried again after a transient failure, and not after any other", ([, ask]) =>
  Effect.gen(function* () {
    for (const reason of ["RateLimited", "Unavailable"] as const) {
      const plan = KvFaulty.scripted([
        { kind: "fail", reason },
        { kind: "fail", reason }
      ])
      const asking = yield* Effect.fork(
        ask(KvRetrying.make(KvFaulty.make(KvMemory.make(), plan), RetryPolicyHttp.make))
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(asking)
    }
    for (const reason of ["DailyLimit", "InvocationLimit", "TooLarge", "BadKey", "BadOption"] as const) {
      const plan = KvFaulty.scripted([{ kind: "fail", reason }])
      const kv = KvRetrying.make(KvFaulty.make(KvMemory.make(), plan), RetryPolicyHttp.make)
      expect((yield* Effect.flip(ask(kv))).reason).toBe(reason)
    }
  })
)
