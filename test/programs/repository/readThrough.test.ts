import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readThrough } from "../../../src/programs/repository/readThrough.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import * as TypedCollection from "../../../src/services/repository/model/TypedCollection.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { kvMode } from "../../support/worlds.ts"

const prices = TypedCollection.make({
  name: "prices",
  key: Schema.NonEmptyString,
  value: Schema.Struct({ cents: Schema.Int }),
  version: 2,
  migrate: (json) => ({ cents: Math.round((json as { dollars: number }).dollars * 100) })
})

const stored = (json: string, contentType: string) =>
  Effect.flatMap(Store, (store) =>
    store.set(prices.collection, "AAPL", new TextEncoder().encode(json), { contentType })
  )

describe("readThrough", () => {
  it.effect("loads once, and reads what it kept", () =>
    Effect.gen(function* () {
      let loads = 0
      const load = Effect.sync(() => Option.some({ cents: ++loads }))
      assert.deepStrictEqual(yield* readThrough(prices, "AAPL", load), Option.some({ cents: 1 }))
      assert.deepStrictEqual(yield* readThrough(prices, "AAPL", load), Option.some({ cents: 1 }))
      assert.deepStrictEqual(yield* readThrough(prices, "MSFT", Effect.succeedNone), Option.none())
    }).pipe(Effect.provide(kvMode()))
  )

  it.effect("migrates what an older version stored", () =>
    Effect.gen(function* () {
      yield* stored('{"dollars":1.25}', "application/json; version=1")
      assert.deepStrictEqual(yield* readThrough(prices, "AAPL", Effect.die("not needed")), Option.some({ cents: 125 }))
    }).pipe(Effect.provide(kvMode()))
  )

  for (const [what, json, type] of [
    ["is not JSON", "{", "application/json; version=2"],
    ["does not fit", '{"cents":"many"}', "application/json; version=2"],
    ["comes from a later version", '{"cents":7}', "application/json; version=3"]
  ] as const) {
    it.effect(`serves what it loads beside a value that ${what}, and leaves that as it is`, () =>
      Effect.gen(function* () {
        yield* stored(json, type)
        let loads = 0
        const load = Effect.sync(() => Option.some({ cents: ++loads }))
        assert.deepStrictEqual(yield* readThrough(prices, "AAPL", load), Option.some({ cents: 1 }))
        assert.deepStrictEqual(yield* readThrough(prices, "AAPL", load), Option.some({ cents: 2 }))
        assert.deepStrictEqual(yield* readThrough(prices, "AAPL", Effect.succeedNone), Option.none())
        const { entry } = yield* (yield* Store).get(prices.collection, "AAPL")
        assert.strictEqual(new TextDecoder().decode(entry?.value), json)
        assert.strictEqual((yield* Ledger).report().total.kv.writes, 1)
      }).pipe(Effect.provide(kvMode()))
    )

    it.effect(`fails on a value that ${what} where the policy says so, and leaves it`, () =>
      Effect.gen(function* () {
        yield* stored(json, type)
        const collection = define("prices", { undecodable: "fail" })
        const error = yield* Effect.flip(readThrough({ ...prices, collection }, "AAPL", Effect.die("not needed")))
        assert.deepInclude(error, { _tag: "StoreError", reason: "Undecodable" })
        assert.isDefined((yield* (yield* Store).get(prices.collection, "AAPL")).entry)
      }).pipe(Effect.provide(kvMode()))
    )
  }
})
