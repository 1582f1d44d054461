import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as ThrottleMemory from "../../../src/layers/market/ThrottleMemory.ts"
import * as ThrottleStore from "../../../src/layers/market/ThrottleStore.ts"
import * as RepositoryStore from "../../../src/layers/repository/RepositoryStore.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { Repository } from "../../../src/services/repository/Repository.ts"
import { throttleContract } from "../../contracts/market/Throttle.ts"
import { directMode, durableMode, kvMode } from "../../support/worlds.ts"

const over = (layer: typeof ThrottleStore.layer, world: ReturnType<typeof directMode>) =>
  layer.pipe(Layer.provideMerge(RepositoryStore.layer), Layer.provideMerge(world))

throttleContract("ThrottleMemory", () => ThrottleMemory.layer)
throttleContract("ThrottleStore in durable mode", () => over(ThrottleStore.layer, durableMode()))
throttleContract("ThrottleStore that asks only on failure", () => over(ThrottleStore.layerOnFailure, directMode()))

const outOfReach = Layer.provide(
  KvFaulty.layer(() => ({ kind: "fail", reason: "Unavailable" })),
  KvMemory.layer
)

const failThrice = (throttle: ReturnType<typeof ThrottleMemory.make>) =>
  Effect.gen(function* () {
    for (const provider of ["a", "b", "a"]) {
      yield* throttle.blocked(provider)
      yield* throttle.failed(provider, "rate-limited")
    }
  })

it.effect("on failure only, each costs one read and one write of the baseline, and asking costs nothing", () =>
  Effect.gen(function* () {
    yield* failThrice(ThrottleStore.make(yield* Repository, { asks: false }))
    expect((yield* Ledger).report().total.kv).toStrictEqual({ reads: 3, writes: 3, deletes: 0, lists: 0 })
  }).pipe(Effect.provide(Layer.provideMerge(RepositoryStore.layer, directMode())))
)

it.effect("in durable mode isolates share what they learn, without a KV operation", () =>
  Effect.gen(function* () {
    const repository = yield* Repository
    const isolate = () => ThrottleStore.make(repository, { asks: true })
    const [first, second, third] = [isolate(), isolate(), isolate()]
    yield* failThrice(first)
    expect(Option.isSome(yield* second.blocked("b"))).toBe(true)
    yield* TestClock.adjust("2 minutes")
    expect((yield* third.failed("a", "rate-limited")).count).toBe(3)
    yield* second.succeeded("b")
    expect(Option.isNone(yield* third.blocked("b"))).toBe(true)
    const { kv, durableObject } = (yield* Ledger).report().total
    expect(kv).toStrictEqual({ reads: 0, writes: 0, deletes: 0, lists: 0 })
    expect(durableObject.requests).toBeGreaterThan(0)
    expect(first.scope).toBe("shared")
  }).pipe(Effect.provide(Layer.provideMerge(RepositoryStore.layer, durableMode())))
)

it.effect("each isolate for itself says so, and costs no operation of any store", () =>
  Effect.gen(function* () {
    const [one, other] = [ThrottleMemory.make(), ThrottleMemory.make()]
    yield* failThrice(one)
    expect(Option.isNone(yield* other.blocked("a"))).toBe(true)
    expect(one.scope).toBe("isolate")
  })
)

it.effect("with its store out of reach it throttles by what the isolate knows, and fails nobody", () =>
  Effect.gen(function* () {
    const throttle = ThrottleStore.make(yield* Repository, { asks: true })
    yield* throttle.failed("a", "unavailable")
    expect((yield* throttle.failed("a", "unavailable")).count).toBe(2)
    expect(Option.isSome(yield* throttle.blocked("a"))).toBe(true)
    expect(Option.isNone(yield* throttle.blocked("b"))).toBe(true)
    yield* throttle.succeeded("a")
  }).pipe(Effect.provide(Layer.provideMerge(RepositoryStore.layer, kvMode({ kv: outOfReach }))))
)
