import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RepositoryStore from "../../../src/layers/repository/RepositoryStore.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import * as TypedCollection from "../../../src/services/repository/model/TypedCollection.ts"
import { Repository } from "../../../src/services/repository/Repository.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { directMode, durableMode, kvMode } from "../../support/worlds.ts"

const Point = Schema.Struct({ x: Schema.Int, y: Schema.Int })

const points = TypedCollection.make({
  name: "points",
  key: Schema.String.pipe(Schema.pattern(/^p\d+$/)),
  value: Point,
  version: 2,
  migrate: (json) => ({ ...(json as object), y: 0 }),
  policy: { jitter: 0 }
})

/** The same family as the deployment before knew it. */
const pointsBefore = TypedCollection.make({
  name: "points",
  key: Schema.String,
  value: Schema.Struct({ x: Schema.Int })
})

const ratios = TypedCollection.make({ name: "ratios", key: Schema.String, value: Schema.Array(Schema.Number) })

const bytes = (text: string) => new TextEncoder().encode(text)

const worlds = { StoreDirect: directMode, StoreKv: kvMode, StoreDurable: durableMode }

for (const [name, world] of Object.entries(worlds)) {
  const law = (title: string, body: Effect.Effect<void, unknown, Repository | Store | Ledger>) =>
    it.effect(title, () => Effect.provide(body, Layer.provideMerge(RepositoryStore.layer, world())))

  describe(`Repository over ${name}`, () => {
    law(
      "what was set is read back, one by one and many at once, in the order asked",
      Effect.gen(function* () {
        const repository = yield* Repository
        yield* repository.set(points, "p1", { x: 1, y: 2 })
        const results = yield* repository.setMany(points, [
          { key: "p2", value: { x: 2, y: 2 } },
          { key: "p3", value: { x: 3, y: 2 }, tags: ["t"] }
        ])
        expect(results.map(({ _tag }) => _tag)).toStrictEqual(["Done", "Done"])
        expect(yield* repository.get(points, "p1")).toStrictEqual(Option.some({ x: 1, y: 2 }))
        expect(yield* repository.getMany(points, ["p3", "p9", "p2"])).toStrictEqual([
          Option.some({ x: 3, y: 2 }),
          Option.none(),
          Option.some({ x: 2, y: 2 })
        ])
        yield* repository.delete(points, "p1")
        expect(yield* repository.get(points, "p1")).toStrictEqual(Option.none())
      })
    )

    law(
      "values of an older version are migrated",
      Effect.gen(function* () {
        const repository = yield* Repository
        yield* repository.set(pointsBefore, "p1", { x: 7 })
        expect(yield* repository.get(points, "p1")).toStrictEqual(Option.some({ x: 7, y: 0 }))
      })
    )

    law(
      "a value that its schema does not read is an absence, counted, and spoils none of its neighbours",
      Effect.gen(function* () {
        const repository = yield* Repository
        const store = yield* Store
        yield* repository.set(points, "p1", { x: 1, y: 1 })
        yield* store.set(points.collection, "p2", bytes('{"x": "one"}'), { contentType: "application/json; version=2" })
        yield* store.set(points.collection, "p3", bytes("no json"))
        yield* store.set(points.collection, "p4", bytes('{"x": 1}'), { contentType: "application/json; version=3" })
        expect(yield* repository.getMany(points, ["p1", "p2", "p3", "p4"])).toStrictEqual([
          Option.some({ x: 1, y: 1 }),
          Option.none(),
          Option.none(),
          Option.none()
        ])
        expect(repository.stats().undecodable).toStrictEqual({ points: 3 })
      })
    )

    law(
      "an absence is loaded once and kept; beside what cannot be read, which stays, a load is served and not kept",
      Effect.gen(function* () {
        const repository = yield* Repository
        let loads = 0
        const load = Effect.sync(() => Option.some({ x: ++loads, y: 0 }))
        expect(yield* repository.getOrLoad(points, "p1", load)).toStrictEqual(Option.some({ x: 1, y: 0 }))
        expect(yield* repository.getOrLoad(points, "p1", load)).toStrictEqual(Option.some({ x: 1, y: 0 }))
        yield* (yield* Store).set(points.collection, "p2", bytes("{"))
        expect(yield* repository.getOrLoad(points, "p2", load)).toStrictEqual(Option.some({ x: 2, y: 0 }))
        expect(yield* repository.get(points, "p2")).toStrictEqual(Option.none())
        expect((yield* (yield* Store).get(points.collection, "p2")).entry?.value).toStrictEqual(bytes("{"))
        expect(yield* repository.getOrLoad(points, "p3", Effect.succeedNone)).toStrictEqual(Option.none())
      })
    )

    law(
      "ten reads whose loader brings what JSON cannot hold store nothing",
      Effect.gen(function* () {
        const repository = yield* Repository
        const store = yield* Store
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const load = Effect.succeedSome([1, bad])
          for (let i = 0; i < 10; i++) yield* Effect.exit(repository.getOrLoad(ratios, "a", load))
          const exit = yield* Effect.exit(repository.set(ratios, "a", [bad]))
          expect(Exit.isFailure(exit) && exit.cause._tag).toBe("Die")
        }
        expect((yield* store.get(ratios.collection, "a")).entry).toBeUndefined()
        yield* repository.set(ratios, "a", [-0.5, 1e308])
        expect(yield* repository.get(ratios, "a")).toStrictEqual(Option.some([-0.5, 1e308]))
      })
    )

    law(
      "lists keys page by page, leaving out names that are no keys",
      Effect.gen(function* () {
        const repository = yield* Repository
        for (const key of ["p2", "p1", "p3"]) yield* repository.set(points, key, { x: 0, y: 0 })
        yield* (yield* Store).set(points.collection, "q", bytes("{}"))
        const keys: Array<string> = []
        let cursor: string | undefined
        do {
          const page: { readonly keys: ReadonlyArray<string>; readonly cursor: string | undefined } =
            yield* repository.list(points, { limit: 2, ...(cursor === undefined ? {} : { cursor }) })
          keys.push(...page.keys)
          cursor = page.cursor
        } while (cursor !== undefined)
        expect(keys).toStrictEqual(["p1", "p2", "p3"])
      })
    )

    law(
      "a key that its schema does not take is a bad key; a value that it does not take is a bug",
      Effect.gen(function* () {
        const repository = yield* Repository
        expect(yield* Effect.flip(repository.get(points, "x"))).toMatchObject({ operation: "get", reason: "BadKey" })
        expect(yield* Effect.flip(repository.set(points, "x", { x: 0, y: 0 }))).toMatchObject({ reason: "BadKey" })
        const exit = yield* Effect.exit(repository.set(points, "p1", { x: 0.5, y: 0 }))
        expect(Exit.isFailure(exit) && exit.cause._tag).toBe("Die")
      })
    )
  })
}

it.effect("a collection whose policy says so fails where a value cannot be read, and leaves it", () => {
  const collections = new Map([...defaults.collections, ["points", define("points", { undecodable: "fail" })]])
  return Effect.gen(function* () {
    const repository = yield* Repository
    yield* (yield* Store).set(points.collection, "p1", bytes("{"))
    for (const read of [
      repository.get(points, "p1"),
      repository.getMany(points, ["p2", "p1"]),
      repository.getOrLoad(points, "p1", Effect.die("not needed"))
    ]) {
      expect(yield* Effect.flip(read as Effect.Effect<unknown, unknown>)).toMatchObject({ reason: "Undecodable" })
    }
    expect((yield* (yield* Store).get(points.collection, "p1")).entry).toBeDefined()
  }).pipe(Effect.provide(Layer.provideMerge(RepositoryStore.layer, kvMode({ settings: { collections } }))))
})

it.effect("the deployer's policy is in force, not the one in the code", () => {
  const collections = new Map([...defaults.collections, ["points", define("points", { memoryTtl: 0, jitter: 0 })]])
  return Effect.gen(function* () {
    const repository = yield* Repository
    yield* repository.set(points, "p1", { x: 1, y: 1 })
    yield* repository.get(points, "p1")
    yield* repository.get(points, "p1")
    expect((yield* Ledger).report().total.kv.reads).toBe(2)
  }).pipe(Effect.provide(Layer.provideMerge(RepositoryStore.layer, kvMode({ settings: { collections } }))))
})
