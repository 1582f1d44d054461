import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import type { Observation } from "../../../src/services/store/model/Entry.ts"
import type { StoreError } from "../../../src/services/store/Store.ts"
import { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"
import { type Address, type Answer, addressOf, ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import { world } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0, memoryTtl: "60 seconds", edgeTtl: "30 seconds" })
const a = addressOf(notes, "a")
const b = addressOf(notes, "b")

const version = (wall: number): Observation => ({
  entry: {
    value: Uint8Array.of(wall % 256),
    contentType: "x/y",
    tags: [],
    stamp: { wall, counter: 0, writer: "w" },
    expiresAt: Number.POSITIVE_INFINITY,
    loadMillis: 0
  },
  readAt: wall
})
const absence: Observation = { entry: undefined, readAt: 5000 }

const answer = (observation: Observation): Answer => ({ observation, tier: "durable", keep: true })

/** What happens to the key while a read of it is under way, and the version of it that memory may hold from then on. */
const changes: ReadonlyArray<
  readonly [
    title: string,
    change: (readPath: ReadPath["Type"], address: Address) => Effect.Effect<void>,
    left: number | undefined
  ]
> = [
  ["a put", (readPath, address) => readPath.remember(address, version(5000)), 5000],
  ["a delete", (readPath, address) => readPath.remember(address, absence), undefined],
  ["a write of unknown outcome", (readPath, address) => readPath.drop(address), undefined],
  ["a clear", (readPath) => Effect.sync(() => readPath.forget(notes, 5000)), undefined]
]

/** Something that is asked, and answers when it is let. */
const gate = Effect.map(Effect.all([Deferred.make<void>(), Deferred.make<void>()]), ([asked, open]) => ({
  pass: Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(open)),
  asked: Deferred.await(asked),
  open: Deferred.succeed(open, undefined)
}))
type Gate = Effect.Effect.Success<typeof gate>

/** The edge holds version 1 of `a` and nothing of `b`; version 2 of both is in the store of record. */
const race = (body: (readPath: ReadPath["Type"], edge: Gate, store: Gate) => Effect.Effect<void, StoreError>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(5000)
    const [edge, store] = yield* Effect.all([gate, gate])
    const layer = Layer.succeed(EdgeCache, {
      match: (id) => Effect.as(edge.pass, id === a.id ? Option.some({ ...version(1), readAt: 6000 }) : Option.none()),
      put: () => Effect.void,
      delete: () => Effect.void,
      enabled: true
    })
    yield* Effect.flatMap(ReadPath, (readPath) => body(readPath, edge, store)).pipe(
      Effect.provide(world({ edge: layer }))
    )
  })

const held = (readPath: ReadPath["Type"], address: Address) => readPath.known(address, 5000)?.entry?.stamp.wall

describe("edge, which is written behind", () => {
  const unremembered = addressOf(define("plain", { jitter: 0, memoryTtl: 0, edgeTtl: "30 seconds" }), "a")

  for (const [title, change, left] of changes.slice(0, 3)) {
    it.effect(`is no answer after ${title} that it does not show yet`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(5000)
        const readPath = yield* ReadPath
        const stored = answer({ ...version(left ?? 6000), readAt: 5000 })
        const read = readPath.read(unremembered, { authority: Effect.succeed(stored) })
        assert.strictEqual((yield* read).entry?.stamp.wall, 4999)
        yield* change(readPath, unremembered)
        const found = yield* read
        assert.deepStrictEqual([found.tier, found.entry?.stamp.wall], ["durable", left ?? 6000])
      }).pipe(
        Effect.provide(
          world({
            edge: Layer.succeed(EdgeCache, {
              match: () => Effect.succeedSome({ ...version(4999), readAt: 5000 }),
              put: () => Effect.void,
              delete: () => Effect.void,
              enabled: true
            })
          })
        )
      )
    )
  }

  for (const [title, change] of changes.slice(0, 3)) {
    it.effect(`and a read under way since before ${title} answer nobody who asks after it`, () =>
      race((readPath, edge, store) =>
        Effect.gen(function* () {
          yield* edge.open
          const address = addressOf(unremembered.collection, "b")
          const old = Effect.as(store.pass, answer(version(4999)))
          const before = yield* Effect.fork(readPath.read(address, { authority: old }))
          yield* store.asked
          yield* change(readPath, address)
          const after = yield* readPath.read(address, { authority: Effect.succeed(answer(version(6000))) })
          yield* store.open
          assert.strictEqual(after.entry?.stamp.wall, 6000)
          assert.strictEqual((yield* Fiber.join(before)).entry?.stamp.wall, 4999)
        })
      )
    )
  }

  it.effect("answers again once it has been written", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(5000)
      const readPath = yield* ReadPath
      const stored = Effect.succeed(answer(version(5000)))
      yield* readPath.remember(unremembered, version(5000))
      const found = yield* readPath.read(unremembered, { authority: stored })
      assert.deepStrictEqual([found.tier, found.entry?.stamp.wall], ["edge", 5000])
    }).pipe(Effect.provide(world({ edge: EdgeCacheMemory.layer })))
  )
})

describe("a read that is overtaken", () => {
  for (const [title, change, left] of changes) {
    it.effect(`by ${title} while edge is asked: what edge held is no answer, and is kept nowhere`, () =>
      race((readPath, edge) =>
        Effect.gen(function* () {
          const reader = yield* Effect.fork(readPath.read(a, { authority: Effect.succeed(answer(version(2))) }))
          yield* edge.asked
          yield* change(readPath, a)
          yield* edge.open
          assert.strictEqual((yield* Fiber.join(reader)).entry?.stamp.wall, 2)
          assert.strictEqual(held(readPath, a), left)
        })
      )
    )

    it.effect(`by ${title} while the store of record is asked: what that answers is kept nowhere`, () =>
      race((readPath, edge, store) =>
        Effect.gen(function* () {
          yield* edge.open
          const reader = yield* Effect.fork(readPath.read(b, { authority: Effect.as(store.pass, answer(version(2))) }))
          yield* store.asked
          yield* change(readPath, b)
          yield* store.open
          assert.strictEqual((yield* Fiber.join(reader)).entry?.stamp.wall, 2)
          assert.strictEqual(held(readPath, b), left)
        })
      )
    )

    it.effect(`by ${title} while the store of record is asked for other keys: what edge held is kept nowhere`, () =>
      race((readPath, edge, store) =>
        Effect.gen(function* () {
          const authority = (missing: ReadonlyArray<Address>) =>
            Effect.as(
              store.pass,
              missing.map(() => answer(version(2)))
            )
          yield* edge.open
          const reader = yield* Effect.fork(readPath.readMany([a, b], authority))
          yield* store.asked
          yield* change(readPath, a)
          yield* store.open
          yield* Fiber.join(reader)
          assert.strictEqual(held(readPath, a), left)
          assert.strictEqual(held(readPath, b), title === "a clear" ? undefined : 2)
        })
      )
    )
  }
})

describe("where no tier stands in front", () => {
  const bare = addressOf(define("bare", { memoryTtl: 0, edgeTtl: 0 }), "a")

  const askedTwice = (afresh: boolean) =>
    race((readPath, _, store) =>
      Effect.gen(function* () {
        let asked = 0
        let loaded = 0
        const authority = Effect.suspend(() => Effect.succeed(answer(asked++ < 2 ? absence : version(2))))
        const load = Effect.suspend(() => {
          loaded += 1
          return Effect.as(store.pass, { ...answer(version(3)), tier: "loader" as const })
        })
        const readers = yield* Effect.forEach([1, 2], () =>
          Effect.fork(readPath.read(bare, { authority, load, afresh }))
        )
        yield* store.asked
        for (let turns = 0; turns < 20; turns++) yield* Effect.yieldNow()
        const other = yield* Effect.fork(readPath.read(bare, { authority, load, afresh }))
        for (let turns = 0; turns < 20; turns++) yield* Effect.yieldNow()
        yield* store.open
        assert.strictEqual((yield* Fiber.join(other)).entry?.stamp.wall, afresh ? 2 : 3)
        for (const reader of readers) assert.strictEqual((yield* Fiber.join(reader)).entry?.stamp.wall, 3)
        assert.deepStrictEqual({ asked, loaded }, { asked: afresh ? 3 : 1, loaded: 1 })
      })
    )

  it.effect("who wants it afresh asks for himself, and joins only a load", () => askedTwice(true))

  it.effect("all others join who asks already", () => askedTwice(false))
})
