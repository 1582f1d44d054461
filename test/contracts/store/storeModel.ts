import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Collection } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { lookups, text } from "../../support/store/lookups.ts"
import { bytes } from "../kv/kvValues.ts"

type Operation =
  | { readonly type: "set"; readonly key: string; readonly value: number; readonly ttl: number; readonly tag: string }
  | { readonly type: "get" | "delete" | "load"; readonly key: string }
  | { readonly type: "getMany" }
  | { readonly type: "invalidate"; readonly tag: string }
  | { readonly type: "clear" }
  | { readonly type: "wait"; readonly millis: number }

const key = fc.constantFrom("a", "b", "c")
const tag = fc.constantFrom("", "red", "blue")

/** One thing that is asked of a Store. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("set" as const),
      key,
      value: fc.nat(99),
      ttl: fc.constantFrom(1000, 60_000, 600_000),
      tag
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom("get" as const, "delete" as const, "load" as const), key })
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("getMany" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("invalidate" as const), tag: fc.constantFrom("red", "blue") })
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("clear" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      millis: fc.constantFrom(0, 1, 999, 31_000, 61_000, 3_600_000)
    })
  }
)

type Model = Map<string, { value: string; expiresAt: number; tag: string }>

/**
 * Holds a Store against a Map with ttls, one operation after the other. Runs under `TestClock`.
 *
 * @param model what is there before; `now` milliseconds since the clock began
 */
export const asModel = (notes: Collection, operations: ReadonlyArray<Operation>, model: Model = new Map(), began = 0) =>
  Effect.gen(function* () {
    const store = yield* Store
    let now = began
    let loads = began
    const expected = (key: string) => {
      const held = model.get(key)
      return held !== undefined && now < held.expiresAt ? held.value : undefined
    }
    for (const operation of operations) {
      switch (operation.type) {
        case "set":
          yield* store.set(notes, operation.key, bytes(`${operation.value}`), {
            ttl: operation.ttl,
            tags: operation.tag === "" ? [] : [operation.tag]
          })
          model.set(operation.key, { value: `${operation.value}`, expiresAt: now + operation.ttl, tag: operation.tag })
          break
        case "get":
          assert.strictEqual(text(yield* store.get(notes, operation.key)), expected(operation.key))
          break
        case "delete":
          yield* store.delete(notes, operation.key)
          model.delete(operation.key)
          break
        case "load": {
          const fresh = `load ${++loads}`
          const found = yield* store.getOrLoad(
            notes,
            operation.key,
            Effect.sync(() => Option.some({ value: bytes(fresh) }))
          )
          if (expected(operation.key) === undefined) {
            model.set(operation.key, { value: fresh, expiresAt: now + Duration.toMillis(notes.policy.ttl), tag: "" })
          }
          assert.strictEqual(text(found), expected(operation.key))
          break
        }
        case "getMany":
          assert.deepStrictEqual(
            (yield* lookups(store, notes, ["a", "b", "c"])).map(text),
            ["a", "b", "c"].map(expected)
          )
          break
        case "invalidate":
          yield* store.invalidateTags([operation.tag])
          for (const [key, held] of model) if (held.tag === operation.tag) model.delete(key)
          break
        case "clear":
          yield* store.clear(notes)
          model.clear()
          break
        case "wait":
          yield* TestClock.adjust(operation.millis)
          now += operation.millis
      }
    }
  })
