import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as StoreAdaptiveTtl from "../../../src/layers/tiers/StoreAdaptiveTtl.ts"
import { type Collection, define } from "../../../src/services/store/model/Collection.ts"
import { adaptedTtl } from "../../../src/services/store/model/Freshness.ts"
import { type Loaded, Store } from "../../../src/services/store/Store.ts"
import { storeContract } from "../../contracts/store/Store.ts"
import { kvMode } from "../../support/worlds.ts"

const world = () => Layer.provideMerge(StoreAdaptiveTtl.layer, kvMode())

const adapting = define("adapting", { ttl: "1 minute", jitter: 0, adaptTtl: true })

/** Seconds that each of so many loads in a row is kept for, each made when the last has expired. */
const lives = (collection: Collection, loads: number, load: (number: number) => Loaded) =>
  Effect.gen(function* () {
    const store = yield* Store
    const seconds: Array<number> = []
    let now = yield* Clock.currentTimeMillis
    for (let number = 0; number < loads; number++) {
      const { entry } = yield* store.getOrLoad(
        collection,
        "a",
        Effect.sync(() => Option.some(load(number)))
      )
      seconds.push((entry!.expiresAt - now) / 1000)
      yield* TestClock.adjust(Duration.millis(entry!.expiresAt - now))
      now = entry!.expiresAt
    }
    return seconds
  }).pipe(Effect.provide(world()))

const same = (): Loaded => ({ value: Uint8Array.of(1) })
const other = (number: number): Loaded => ({ value: Uint8Array.of(number) })

it.effect("a value that stays lives longer and longer, up to four times its ttl", () =>
  Effect.map(lives(adapting, 6, same), (seconds) => assert.deepStrictEqual(seconds, [60, 90, 135, 202.5, 240, 240]))
)

it.effect("one that changes lives shorter and shorter, down to a quarter", () =>
  Effect.map(lives(adapting, 5, other), (seconds) => assert.deepStrictEqual(seconds, [60, 30, 15, 15, 15]))
)

it.effect("a life that the loader names is kept, and so are collections that did not ask for it", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* lives(adapting, 3, () => ({ ...same(), ttl: 7000 })), [7, 7, 7])
    assert.deepStrictEqual(yield* lives(define("plain", { ttl: "1 minute", jitter: 0 }), 3, same), [60, 60, 60])
  })
)

it.effect("the jitter only shortens", () =>
  Effect.map(lives(define("j", { ttl: "1 minute", jitter: 0.5, adaptTtl: true }), 40, same), (seconds) => {
    for (const life of seconds) assert.isTrue(life > 0 && life <= 240)
    assert.isAbove(new Set(seconds).size, 30)
  })
)

it("whatever happens, it stays between a quarter of the policy's ttl and four times that", () =>
  fc.assert(
    fc.property(fc.array(fc.boolean()), fc.integer({ min: 1, max: 1e9 }), (changes, ttl) => {
      let current = ttl
      for (const changed of changes) {
        const next = adaptedTtl(current, changed, ttl)
        assert.isTrue(changed ? next <= current : next >= current)
        assert.isTrue(next >= ttl / 4 && next <= ttl * 4)
        current = next
      }
    })
  ))

storeContract("StoreAdaptiveTtl", world)
