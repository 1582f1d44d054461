import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as BudgetAccountStorage from "../../../src/layers/durable/BudgetAccountStorage.ts"
import * as EdgeResponsesCaches from "../../../src/layers/http-cache/EdgeResponsesCaches.ts"
import * as ResponseStoreTiered from "../../../src/layers/http-cache/ResponseStoreTiered.ts"
import * as LimitsStorage from "../../../src/layers/limits/LimitsStorage.ts"
import * as ModeHeartbeatStorage from "../../../src/layers/migration/ModeHeartbeatStorage.ts"
import * as FigureBookStorage from "../../../src/layers/monitoring/FigureBookStorage.ts"
import * as RuntimeSettingsStorage from "../../../src/layers/settings/RuntimeSettingsStorage.ts"
import { makeSnapshotPace } from "../../../src/layers/snapshots/snapshotPace.ts"
import * as EdgeCacheBinding from "../../../src/layers/tiers/EdgeCacheBinding.ts"
import * as MemoryTierOff from "../../../src/layers/tiers/MemoryTierOff.ts"
import { unlimited } from "../../../src/services/budget/Budget.ts"
import { stateOf, type WriteCounters } from "../../../src/services/database/model/WriteCounters.ts"
import { EdgeResponses } from "../../../src/services/http-cache/EdgeResponses.ts"
import { defaultPolicy } from "../../../src/services/http-cache/model/HttpCachePolicy.ts"
import { ResponseStore } from "../../../src/services/http-cache/ResponseStore.ts"
import { decode } from "../../support/durable/wire.ts"

const t0 = 1_700_000_000_000
const fixture = <A>(file: string): { readonly [key: string]: A } =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${file}`, import.meta.url), "utf8"))

describe("what an object has in its storage beside its tables", () => {
  const written = fixture<unknown>("shard/kv-1.json")
  const read = new Set<string>()

  /** The storage of an object, a minute later; what is read of it is remembered. */
  const storage = () => {
    const rows = new Map(Object.entries(written).map(([key, value]) => [key, decode(JSON.stringify(value))]))
    return {
      get: <A>(key: string): A | undefined => {
        read.add(key)
        return rows.get(key) as A | undefined
      },
      put: (key: string, value: unknown): void => void rows.set(key, value),
      delete: (key: string): boolean => rows.delete(key),
      list: <A>({ prefix }: { readonly prefix?: string } = {}) =>
        [...rows].flatMap(([key, value]): Array<[string, A]> => {
          if (!key.startsWith(prefix ?? "")) return []
          read.add(key)
          return [[key, value as A]]
        })
    }
  }

  it.effect("is read: windows, counters, the account, the heartbeat, settings, figures, and when it was saved", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(t0 + 360_000)
      const limits = LimitsStorage.make(storage())
      assert.deepStrictEqual(yield* limits.hit("visitors", 1, 3_600_000), { hits: 4, endsAt: 1_700_002_800_000 })
      assert.strictEqual(yield* limits.add("orders", 1), 43)
      const counts = { reads: 0, writes: 0, deletes: 0, lists: 0 }
      assert.deepStrictEqual((yield* BudgetAccountStorage.make(storage()).share(19_675, counts)).total, {
        reads: 7,
        writes: 5,
        deletes: 3,
        lists: 1
      })
      assert.isTrue(yield* ModeHeartbeatStorage.make(storage()).goOn)
      const settings = RuntimeSettingsStorage.make(storage()).read(t0 + 360_000)
      assert.deepInclude(settings.overrides.MEMORY_TIER, { value: "off", by: "admin", until: t0 + 86_400_000 })
      assert.lengthOf(settings.history, 1)
      const figures = FigureBookStorage.make(storage()).view(t0 + 120_000)
      assert.deepStrictEqual(figures.total, { "requests|GET cache|memory|200": 7 })
      assert.strictEqual(figures.since, t0)
      const stretched = { ...unlimited, report: () => ({ resetsAt: t0 + 86_400_000 }), stretch: () => 3 }
      const pace = makeSnapshotPace(stretched as unknown as typeof unlimited, storage())
      assert.strictEqual(yield* pace.notBefore(3_600_000), t0 + 3 * 3_600_000)
    })
  )

  it("is read: where it is, how many there are, whether it has recovered, when it has swept, what was written", () => {
    const object = storage()
    assert.deepStrictEqual(object.get("place"), { generation: 1, shard: 2 })
    assert.strictEqual(object.get("shards"), 3)
    assert.strictEqual(object.get("awake"), true)
    assert.strictEqual(object.get("sweptAt"), t0)
    const state = stateOf(object.get<WriteCounters>("writes")!, ["files"])
    assert.deepStrictEqual(state, { version: "0 1", writing: true })
    assert.sameMembers([...read], Object.keys(written))
  })
})

describe("what lies in an edge cache", () => {
  const kept = fixture<{ readonly headers: Record<string, string>; readonly body: string }>("edge/entries-1.json")

  const cache = {
    match: async (url: string) => {
      const found = kept[url]
      return found && new Response(Buffer.from(found.body, "base64"), { headers: found.headers })
    }
  } as unknown as Cache

  it.effect("is read: entries, one without an end, and an absence", () =>
    Effect.gen(function* () {
      const edge = EdgeCacheBinding.make(() => cache, "edge.larder")
      const entry = {
        value: new TextEncoder().encode("ü1"),
        contentType: "text/plain",
        tags: ["t", "ü"],
        stamp: { wall: t0, counter: 3, writer: "5f0c2a91" },
        expiresAt: t0 + 3_600_000,
        loadMillis: 12
      }
      const forEver = { ...entry, tags: [], expiresAt: Number.POSITIVE_INFINITY }
      assert.deepStrictEqual(yield* edge.match("notes/a"), Option.some({ entry, readAt: t0 }))
      assert.deepStrictEqual(yield* edge.match("default/for ever"), Option.some({ entry: forEver, readAt: t0 }))
      assert.deepStrictEqual(yield* edge.match("notes/absent"), Option.some({ entry: undefined, readAt: t0 }))
    })
  )

  it.effect("is read: a variant of a response, and its body", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(t0 + 60_000)
      const store = yield* ResponseStore
      const [variant, ...others] = yield* store.variants("https://example.com/a")
      assert.lengthOf(others, 0)
      assert.deepInclude(variant, { status: 200, lifetime: 3600, vary: ["accept-language"], etag: '"1"', tags: ["t"] })
      const found = Option.getOrThrow(yield* store.body(variant!))
      const text = yield* Effect.promise(() => new Response(found.bytes as BodyInit).text())
      assert.strictEqual(text, "hello")
    }).pipe(
      Effect.provide(
        ResponseStoreTiered.layer({ policy: defaultPolicy, memoryTtl: 60_000 }).pipe(
          Layer.provide(MemoryTierOff.layer),
          Layer.provide(
            Layer.succeed(
              EdgeResponses,
              EdgeResponsesCaches.make(() => cache, "responses.larder")
            )
          )
        )
      )
    )
  )
})
