import { assert, describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { withCachedLists } from "../../../src/layers/routing/internal/cachedLists.ts"
import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define, type PolicyInput } from "../../../src/services/store/model/Collection.ts"
import { zeroStamp } from "../../../src/services/store/model/Entry.ts"
import type { Store } from "../../../src/services/store/Store.ts"
import { runs } from "../../support/runs.ts"

const keys = Array.from({ length: 12 }, (_, number) => `k${String(number).padStart(2, "0")}`)

interface Change {
  readonly at: number
  readonly isolate: number
  readonly present: boolean
}

/** A store that shows changes in its lists only `lag` milliseconds later, and isolates over it that share an edge cache. */
const worldOf = (lag: number, policy: PolicyInput) => {
  const notes = define("notes", { ttl: "1 day", ...policy })
  const changes = new Map<string, Array<Change>>()
  const counted = { lists: 0 }
  const change = (isolate: number, key: string, present: boolean) =>
    Effect.map(Clock.currentTimeMillis, (at) => {
      changes.set(key, [...(changes.get(key) ?? []), { at, isolate, present }])
    })
  const written = {
    stamp: zeroStamp,
    acknowledged: "stored",
    replaced: false,
    expiresAt: Number.POSITIVE_INFINITY
  } as const
  const storeOf = (isolate: number): Store["Type"] =>
    ({
      set: (_, key) => Effect.as(change(isolate, key, true), written),
      writeMany: (_, all) =>
        Effect.forEach(all, (one) =>
          Effect.as(change(isolate, one.key, !("remove" in one)), { _tag: "Done" as const, value: written })
        ),
      delete: (_, key) => Effect.as(change(isolate, key, false), "stored" as const),
      clear: () =>
        Effect.as(
          Effect.forEach(keys, (key) => change(lag > 0 ? -1 : isolate, key, false)),
          { complete: true }
        ),
      list: (_, { cursor, limit = 1000, prefix = "" }) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          counted.lists += 1
          const shown = keys.filter((key) => {
            const seen = (changes.get(key) ?? []).findLast(({ at }) => at <= now - lag)
            return seen?.present && key.startsWith(prefix) && (cursor === undefined || key > cursor)
          })
          const page = shown.slice(0, limit)
          return {
            keys: page.map((key) => ({ key, expiresAt: Number.POSITIVE_INFINITY, tags: [] })),
            cursor: shown.length > limit ? page.at(-1) : undefined
          }
        })
    }) as Partial<Store["Type"]> as Store["Type"]
  const edge = EdgeCacheMemory.make()
  const ledger = LedgerMemory.make(0)
  const listing = { placeOf: () => (key: string) => key, placeOfPrefix: (_: unknown, prefix: string) => prefix }
  const isolates = [0, 1, 2].map((isolate) =>
    withCachedLists(storeOf(isolate), { ...listing, lagMillis: lag }, { settings: defaults, ledger, edge })
  )
  return { notes, changes, counted, isolates, ledger }
}

const allOf = (store: Store["Type"], notes: ReturnType<typeof define>, limit: number, prefix: string) =>
  Effect.gen(function* () {
    const found: Array<string> = []
    let cursor: string | undefined
    do {
      const page = yield* store.list(notes, { limit, prefix, ...(cursor === undefined ? {} : { cursor }) })
      assert.isAtMost(page.keys.length, limit)
      found.push(...page.keys.map(({ key }) => key))
      cursor = page.cursor
    } while (cursor !== undefined)
    return found
  })

const step = fc.record({
  isolate: fc.nat({ max: 2 }),
  wait: fc.constantFrom(0, 0, 1, 5_000, 25_000, 70_000),
  act: fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), key: fc.constantFrom(...keys) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: fc.constantFrom(...keys) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("many" as const), keys: fc.subarray(keys), remove: fc.boolean() })
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("list" as const),
        limit: fc.integer({ min: 1, max: 7 }),
        prefix: fc.constantFrom("", "k0", "k1", "x")
      })
    }
  )
})

describe("cached lists", () => {
  it.effect.prop(
    "show own writes at once, other isolates' within the policy's time, and lose nothing between pages",
    [fc.array(step, { minLength: 3, maxLength: 40 }), fc.constantFrom(0, 60_000)],
    ([steps, lag]) =>
      Effect.gen(function* () {
        const window = 50_000
        const { changes, isolates, notes } = worldOf(lag, { memoryTtl: "40 seconds", edgeTtl: "50 seconds" })
        for (const { act, isolate, wait } of steps) {
          yield* TestClock.adjust(wait)
          const store = isolates[isolate]!
          if (act.kind === "set") yield* store.set(notes, act.key, new Uint8Array())
          else if (act.kind === "delete") yield* store.delete(notes, act.key)
          else if (act.kind === "clear") yield* store.clear(notes)
          else if (act.kind === "many") {
            const all = act.keys.map((key) =>
              act.remove ? { key, remove: true as const } : { key, value: new Uint8Array() }
            )
            yield* store.writeMany(notes, all)
          } else {
            const found = yield* allOf(store, notes, act.limit, act.prefix)
            assert.deepStrictEqual(found, [...new Set(found)].sort())
            const now = yield* Clock.currentTimeMillis
            for (const key of keys.filter((key) => key.startsWith(act.prefix))) {
              const last = changes.get(key)?.at(-1)
              if (last === undefined) assert.notInclude(found, key)
              else if (last.isolate === isolate || now - last.at > window + lag) {
                assert.strictEqual(found.includes(key), last.present, `${key} in ${isolate} at ${now}`)
              }
            }
          }
        }
      }),
    { fastCheck: { numRuns: runs(100) } }
  )

  it.effect("cost one list of the store of record a minute where one is polled every 30 seconds", () =>
    Effect.gen(function* () {
      const { counted, isolates, ledger, notes } = worldOf(0, {})
      yield* isolates[0]!.set(notes, "k00", new Uint8Array())
      for (let poll = 0; poll < 120; poll++) {
        expect(yield* allOf(isolates[0]!, notes, 1000, "")).toEqual(["k00"])
        yield* TestClock.adjust("30 seconds")
      }
      expect(counted.lists).toBe(60)
      expect(ledger.report().total.logical.lists).toBe(60)
    })
  )

  it.effect("are asked of the store of record each time where no tier may answer", () =>
    Effect.gen(function* () {
      const { counted, isolates, notes } = worldOf(0, { memoryTtl: 0, edgeTtl: 0 })
      for (let poll = 0; poll < 3; poll++) yield* allOf(isolates[0]!, notes, 5, "")
      expect(counted.lists).toBe(3)
    })
  )
})
