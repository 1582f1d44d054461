import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as BudgetAccountKv from "../../../src/layers/budget/BudgetAccountKv.ts"
import * as RecordedTopologyKv from "../../../src/layers/durable/RecordedTopologyKv.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { noteOf, remembered } from "../../../src/layers/migration/internal/handoverNotes.ts"
import * as RecordedModeKv from "../../../src/layers/migration/RecordedModeKv.ts"
import * as StoreOfRecordKv from "../../../src/layers/migration/StoreOfRecordKv.ts"
import * as RuntimeSettingsKv from "../../../src/layers/monitoring/RuntimeSettingsKv.ts"
import * as PrefetchGraph from "../../../src/layers/prefetch/PrefetchGraph.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import * as EdgeCacheOff from "../../../src/layers/tiers/EdgeCacheOff.ts"
import * as RowPage from "../../../src/services/durable/model/RowPage.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { type Entry, zeroStamp } from "../../../src/services/store/model/Entry.ts"
import { hashedTag } from "../../../src/services/store/model/Tags.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"
import { text } from "../../support/store/lookups.ts"
import { kvMode } from "../../support/worlds.ts"

const t0 = 1_700_000_000_000
const fixtures = new URL("../../fixtures/", import.meta.url)

const json = (file: string): unknown => JSON.parse(readFileSync(new URL(file, fixtures), "utf8"))

type Stored = ({ readonly value: string } | { readonly fill: number; readonly bytes: number }) & {
  readonly metadata?: unknown
}

/** A namespace as it was stored, an hour later. */
const namespaceOf = (file: string) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(t0 + 3_600_000)
    const kv = KvMemory.make()
    for (const [key, one] of Object.entries(json(file) as Record<string, Stored>)) {
      const value =
        "value" in one ? new Uint8Array(Buffer.from(one.value, "base64")) : new Uint8Array(one.bytes).fill(one.fill)
      yield* kv.put(key, value, one.metadata == null ? {} : { metadata: one.metadata })
    }
    return kv
  })

const [plain, notes] = [define("default"), define("notes")]
const [one, many] = [define("one", { packed: true }), define("many", { packed: true })]

const writer = "5f0c2a91"
const crowd = Array.from({ length: 30 }, (_, at) => `${at}`.padStart(60, "t"))
const version = { wall: t0, counter: 3, writer }

/** Each file of `test/fixtures/kv`, and how what is in it is read. */
const readers: { readonly [file: string]: (kv: Kv["Type"]) => Effect.Effect<void, unknown> } = {
  "entries-1.json": (kv) =>
    Effect.gen(function* () {
      const store = yield* Store
      assert.deepStrictEqual((yield* store.get(plain, "foreign")).entry?.stamp, zeroStamp)
      for (const [collection, key, value] of [
        [plain, "foreign", "foreign"],
        [plain, "foreign with metadata", "1"],
        [plain, "plain", "plain"],
        [plain, "~tilde", "tilde"],
        [notes, "tagged", "tagged"],
        [notes, "é".repeat(256), "hashed key"],
        [notes, "crowded", "crowded"],
        [notes, "\u0001".repeat(510), "key in front"],
        [notes, "ended", undefined]
      ] as const) {
        assert.strictEqual(text(yield* store.get(collection, key)), value)
      }
      assert.deepStrictEqual((yield* store.get(notes, "tagged")).entry, {
        value: new TextEncoder().encode("tagged"),
        contentType: "text/plain",
        tags: ["t", "ü"],
        stamp: { wall: t0, counter: 2, writer },
        expiresAt: 3_500_000_000_000,
        loadMillis: 12
      })
      assert.deepStrictEqual([...(yield* store.get(notes, "marked")).entry!.value], [0xef, 0xbb, 0xbf, 65])
      const listed = yield* store.list(notes, {})
      assert.deepStrictEqual(
        listed.keys.map(({ key, tags }) => [key.slice(0, 7), tags.length]).sort(),
        [
          ["crowded", 30],
          ["marked", 0],
          ["tagged", 2],
          ["é".repeat(7), 0]
        ].sort()
      )
      // What is in them is ended by invalidations of today.
      yield* store.invalidateTags([crowd[17]!])
      assert.isUndefined((yield* store.get(notes, "crowded")).entry)
    }).pipe(Effect.provide(kvMode({ kv: Layer.succeed(Kv, kv) }))),

  "entries-2.json": (kv) =>
    Effect.gen(function* () {
      const store = yield* Store
      const crowded = yield* store.get(notes, "crowded")
      assert.strictEqual(text(crowded), "crowded")
      assert.deepStrictEqual(crowded.entry?.tags, crowd.map(hashedTag))
      assert.isUndefined((yield* store.get(notes, "ended")).entry)
      yield* store.invalidateTags([crowd[17]!])
      assert.isUndefined((yield* store.get(notes, "crowded")).entry)
    }).pipe(Effect.provide(kvMode({ kv: Layer.succeed(Kv, kv) }))),

  "pages-1.json": (kv) =>
    Effect.gen(function* () {
      const store = yield* Store
      const a = (yield* store.get(one, "a")).entry
      assert.deepStrictEqual([a?.contentType, a?.tags], ["text/css", ["t"]])
      assert.isUndefined((yield* store.get(one, "gone")).entry)
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j < 5; j++) {
          assert.strictEqual(text(yield* store.get(many, `k${i}${j}`)), `value ${i}${j}`)
        }
      }
      assert.strictEqual((yield* store.get(many, "large")).entry?.value.byteLength, 70_000)
      assert.lengthOf((yield* store.list(many, {})).keys, 21)
      yield* store.invalidateTags(["t"])
      assert.isUndefined((yield* store.get(one, "a")).entry)
      assert.isUndefined((yield* store.get(many, "large")).entry)
    }).pipe(Effect.provide(kvMode({ kv: Layer.succeed(Kv, kv) }))),

  "records-1.json": (kv) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* RecordedModeKv.make(kv).read, {
        mode: "kv",
        to: "durable",
        cursor: "durable.copy.k",
        unsettled: true,
        objects: true,
        again: t0
      })
      assert.deepStrictEqual(yield* RecordedTopologyKv.make(kv).read, {
        generation: 1,
        shards: 3,
        to: { generation: 2, shards: 5 }
      })
      const edge = yield* Effect.provide(EdgeCache, EdgeCacheOff.layer)
      const settings = yield* RuntimeSettingsKv.make(kv, edge, () => {}).read
      assert.strictEqual(settings.overrides.MEMORY_TIER?.value, "off")
      assert.lengthOf(settings.history, 1)
      const account = BudgetAccountKv.make(kv, { reads: 100, writes: 100 }, () => 0)
      const { total } = yield* account.share(20_000, { reads: 0, writes: 0, deletes: 0, lists: 0 })
      assert.deepStrictEqual(total, { reads: 100, writes: 100, deletes: 0, lists: 0 })
    }),

  "outbox-parts-1.json": (kv) =>
    Effect.gen(function* () {
      const outbox = OutboxKv.make(kv)
      const { names } = yield* outbox.list()
      const writes = (yield* outbox.read(names[0]!))!
      assert.deepStrictEqual(
        writes.map(({ body, id }) => [id, body && new TextDecoder().decode(body.value)]),
        [
          ["default/a", "a".repeat(8)],
          ["default/b", "b".repeat(8)],
          ["default/c", "c".repeat(8)],
          ["default/gone", undefined]
        ]
      )
      assert.deepStrictEqual([writes[0]!.body?.tags, writes[3]!.stamp.counter], [["t"], 9])
    })
}

describe("what was stored in a namespace by the version that had the format", () => {
  it.effect.each(readdirSync(new URL("kv/", fixtures)))("is read: %s", (file) =>
    Effect.flatMap(namespaceOf(`kv/${file}`), (kv) => readers[file]!(kv))
  )

  it.effect(
    "is carried into the other mode: entries of every form, each with its version, and none that is ended",
    () =>
      Effect.gen(function* () {
        const collections = new Map([plain, notes, one, many].map((collection) => [collection.name, collection]))
        for (const [file, count] of [
          ["kv/entries-1.json", 9],
          ["kv/pages-1.json", 22]
        ] as const) {
          const store = StoreOfRecordKv.make(yield* namespaceOf(file), { ...defaults, collections })
          const { heads } = yield* store.page(undefined, 1000)
          const entries: Array<Entry | undefined> = []
          while (entries.length < heads.length) entries.push(...(yield* store.read(heads.slice(entries.length))))
          assert.lengthOf(
            entries.filter((entry) => entry !== undefined),
            count
          )
          for (const [index, { id, version }] of heads.entries()) {
            assert.deepStrictEqual(entries[index]?.stamp, version, id)
          }
        }
      })
  )
})

describe("what was stored in an object", () => {
  const values = json("shard/values-1.json") as Record<string, string>
  const bytes = (name: string) => new Uint8Array(Buffer.from(values[name]!, "base64"))

  it("is read: a page of its rows", () => {
    const body = {
      value: new TextEncoder().encode("a"),
      contentType: "text/css",
      tags: ["t"],
      expiresAt: Number.POSITIVE_INFINITY,
      loadMillis: 1
    }
    const row = { version, packed: true }
    assert.deepStrictEqual(RowPage.decode("notes/a", bytes("page of a shard")), [
      { since: 5, row: { ...row, id: "notes/a", ahead: [{ ...version, counter: 4 }], deletedAt: 0, body } },
      { since: 5, row: { ...row, id: "notes/gone", ahead: [], deletedAt: t0, body: undefined } }
    ])
  })

  it("is read: the note of a hand-over", () => {
    assert.strictEqual(noteOf("notes/a"), "~agreed/notes/a")
    const note = { contentType: "application/json", tags: [], loadMillis: 0, expiresAt: Number.POSITIVE_INFINITY }
    const said = remembered({ ...note, value: bytes("note of a hand-over"), stamp: { ...version, wall: t0 + 1 } })
    assert.deepStrictEqual(said, { to: "kv", version, at: t0 + 1 })
  })

  it("is read: what prefetching has learned", () => {
    const graph = PrefetchGraph.make({ precision: 0.5 })
    assert.isTrue(graph.restore(bytes("learned state")))
    assert.strictEqual(graph.stats().ids, 3)
    assert.isTrue(Option.isSome(Option.fromNullable(graph.state())))
  })
})
