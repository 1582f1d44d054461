import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { contract, moment } from "../../contracts/migration/StoreOfRecord.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"
import { runs } from "../../support/runs.ts"

contract("StoreOfRecordKv", () => Effect.map(opened, ({ kv }) => kv), { runs: runs(40) })

for (const shards of [1, 3]) {
  const objects = () => Effect.map(openedWith(shards), ({ durable }) => durable)
  contract(`StoreOfRecordDurable over ${shards}`, objects, { runs: runs(40) })
}

const openedWith = (shards: number) => Effect.flatMap(ModesWorld.make({ shards }), ({ stores }) => stores.open)

const opened = openedWith(1)

const stamp = { wall: moment - 1000, counter: 0, writer: "w" }

const head = { id: "default/a", version: stamp, expiresAt: moment + 60_000, tags: [] }

it.effect("what was handed over is remembered as it was last, until it expires or is forgotten, and is no entry", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(moment)
    const { durable } = yield* openedWith(3)
    expect(yield* durable.agreed(["default/a"])).toStrictEqual([undefined])
    yield* durable.agree([head, { ...head, id: "default/b", expiresAt: moment + 120_000 }], "kv")
    yield* TestClock.setTime(moment + 1)
    yield* durable.agree([head], "durable")
    expect(yield* durable.agreed(["default/b", "default/a"])).toStrictEqual([
      { version: stamp, to: "kv", at: moment },
      { version: stamp, to: "durable", at: moment + 1 }
    ])
    expect((yield* durable.page(undefined, 10)).heads).toStrictEqual([])
    yield* TestClock.setTime(moment + 60_000)
    expect((yield* durable.agreed(["default/a", "default/b"])).map((note) => note?.to)).toStrictEqual([undefined, "kv"])
    yield* durable.forget(["default/b"])
    expect(yield* durable.agreed(["default/b"])).toStrictEqual([undefined])
  })
)

it.effect("the snapshot shows what the objects had saved, page by page, and remembers for them", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(moment)
    const world = yield* ModesWorld.make({ shards: 3 })
    const { durable } = yield* world.stores.open
    const entry = {
      value: Uint8Array.of(1),
      contentType: "a/b",
      tags: ["t"],
      stamp,
      expiresAt: moment + 60_000,
      loadMillis: 0
    }
    const ids = Array.from({ length: 9 }, (_, number) => `default/${number}`)
    yield* durable.write(ids.map((id) => ({ id, entry })))
    yield* durable.write([{ id: "default/dead", entry: { ...entry, tags: ["u"] } }])
    yield* world.durable.invalidateTags(["u"], { ...stamp, counter: 1 })
    yield* durable.agree([{ ...head, id: ids[0]! }], "kv")
    yield* durable.settle
    const { snapshot } = yield* world.stores.open
    world.switches.unreachable = true
    const listed: Array<string> = []
    let cursor: string | undefined
    do {
      const page = yield* snapshot.page(cursor, 2)
      listed.push(...page.heads.map(({ id }) => id))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(listed).toStrictEqual(ids)
    expect([...(yield* snapshot.marks).keys()]).toStrictEqual(["u"])
    expect(yield* snapshot.read(ids.map((id) => ({ id, version: stamp })))).toStrictEqual(ids.map(() => entry))
    const note = { version: stamp, to: "kv", at: moment }
    expect(yield* snapshot.agreed(ids.slice(0, 2))).toStrictEqual([note, undefined])
    yield* TestClock.setTime(moment + 1)
    yield* snapshot.agree([{ ...head, id: ids[1]! }], "kv")
    yield* snapshot.forget([ids[0]!])
    world.switches.unreachable = false
    yield* durable.settle
    expect(yield* durable.agreed(ids.slice(0, 2))).toStrictEqual([undefined, { ...note, at: moment + 1 }])
  })
)

it.effect("invalidations are carried into KV wherever they are the later ones", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(moment)
    const world = yield* ModesWorld.make()
    const later = { ...stamp, counter: 1 }
    const { kv } = yield* world.stores.open
    yield* kv.carry(
      new Map([
        ["a", stamp],
        ["b", later]
      ])
    )
    const again = (yield* world.stores.open).kv
    yield* again.carry(
      new Map([
        ["a", later],
        ["b", stamp]
      ])
    )
    const marks = yield* (yield* world.stores.open).kv.marksOf([{ tags: ["a", "b"], version: stamp }])
    expect([marks.get("a"), marks.get("b")]).toStrictEqual([later, later])
  })
)
