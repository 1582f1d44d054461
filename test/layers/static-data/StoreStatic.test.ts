import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import * as StoreStatic from "../../../src/layers/static-data/StoreStatic.ts"
import { Ledger, noCounts } from "../../../src/services/ledger/Ledger.ts"
import { StaticData } from "../../../src/services/static-data/StaticData.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store, type StoreError } from "../../../src/services/store/Store.ts"
import { storeContract } from "../../contracts/store/Store.ts"
import { lookups } from "../../support/store/lookups.ts"
import { kvMode } from "../../support/worlds.ts"

const behind = () =>
  StoreStatic.layer.pipe(Layer.provideMerge(kvMode()), Layer.provideMerge(StaticDataBundled.layerOf()))

storeContract("StoreKv behind static data", behind)

const statics = define("static")
const notes = define("notes")
const value = new TextEncoder().encode("1")

describe("the collection static", () => {
  const story = (title: string, body: Effect.Effect<void, unknown, Store | StaticData | Ledger>) =>
    it.effect(title, () => Effect.provide(body, behind()))

  story(
    "answers tables and rows from the tier static, held ones too, and what is not there as an absence",
    Effect.gen(function* () {
      const store = yield* Store
      const held = store.held(statics, "symbols/AAPL", 0)
      assert.strictEqual(held?.tier, "static")
      assert.deepStrictEqual(yield* store.get(statics, "symbols/AAPL"), held)
      const [table, absent] = yield* lookups(store, statics, ["sectors", "symbols/NOPE"])
      assert.include(new TextDecoder().decode(table?.entry?.value), "health-care")
      assert.strictEqual(absent?.tier, "static")
      assert.isUndefined(absent?.entry)
      assert.isUndefined(store.held(statics, "symbols/NOPE", 0))
      const never = Effect.dieMessage("nothing static is loaded")
      assert.isUndefined((yield* store.getOrLoad(statics, "nope", never)).entry)
      assert.isDefined((yield* store.getOrLoad(statics, "errors", never)).entry)
      assert.strictEqual((yield* Effect.flip(store.get(statics, ""))).reason, "BadKey")
    })
  )

  story(
    "is listed page by page",
    Effect.gen(function* () {
      const store = yield* Store
      const data = yield* StaticData
      const listed: Array<string> = []
      for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
        const page = yield* store.list(statics, { limit: 100, ...(cursor === undefined ? {} : { cursor }) })
        listed.push(...page.keys.map(({ key }) => key))
        cursor = page.cursor
      }
      assert.deepStrictEqual(listed, data.keys())
      const sectors = yield* store.list(statics, { prefix: "sectors/" })
      assert.strictEqual(sectors.keys.length, 11)
      assert.strictEqual((yield* Effect.flip(store.list(statics, { cursor: "%" }))).reason, "BadCursor")
    })
  )

  story(
    "takes no write of any kind, and says so",
    Effect.gen(function* () {
      const store = yield* Store
      const refused: ReadonlyArray<Effect.Effect<unknown, StoreError>> = [
        store.set(statics, "sectors", value),
        store.delete(statics, "sectors"),
        store.clear(statics)
      ]
      for (const write of refused) assert.strictEqual((yield* Effect.flip(write)).reason, "ReadOnly")
      const results = yield* store.writeMany(statics, [
        { key: "a", value },
        { key: "b", value }
      ])
      assert.deepStrictEqual(
        results.map((result) => result._tag === "Failed" && result.error.reason),
        ["ReadOnly", "ReadOnly"]
      )
      assert.isUndefined((yield* store.get(statics, "a")).entry)
    })
  )

  story(
    "costs no operation of any tier: the ledger counts what was asked, and nothing done",
    Effect.gen(function* () {
      const store = yield* Store
      const { keys } = yield* store.list(statics, {})
      yield* store.getMany(
        statics,
        keys.map(({ key }) => key)
      )
      for (const { key } of keys) {
        yield* store.get(statics, key)
        store.held(statics, key, 0)
        yield* store.getOrLoad(statics, key, Effect.succeed(Option.none()))
      }
      yield* store.get(statics, "not/there")
      yield* Effect.flip(store.set(statics, "a", value))
      const { byCollection, total } = (yield* Ledger).report()
      assert.deepStrictEqual(total.kv, noCounts)
      assert.deepStrictEqual(total.kvCalls, noCounts)
      assert.deepStrictEqual(total.edge, { matches: 0, puts: 0, deletes: 0 })
      assert.deepStrictEqual(byCollection.static, {
        kv: noCounts,
        kvCalls: noCounts,
        logical: { ...noCounts, reads: 4 * keys.length + 1, lists: 1 }
      })
      yield* store.set(notes, "a", value)
      assert.strictEqual((yield* Ledger).report().total.kv.writes, 1)
    })
  )
})
