import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KeyAliasRules from "../../../src/layers/aliasing/KeyAliasRules.ts"
import * as StoreAliased from "../../../src/layers/aliasing/StoreAliased.ts"
import { KeyAlias } from "../../../src/services/aliasing/KeyAlias.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { storeContract } from "../../contracts/store/Store.ts"
import { runs } from "../../support/runs.ts"
import { lookups } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { durableMode, kvMode } from "../../support/worlds.ts"

const aliased = <R, E>(world: Layer.Layer<Store | R, E>) =>
  StoreAliased.layer.pipe(Layer.provideMerge(KeyAliasRules.layer), Layer.provideMerge(world))

storeContract("StoreAliased over StoreKv", () => aliased(kvMode()))

const quotes = define("quotes", {
  jitter: 0,
  fills: "all",
  alias: [
    { rule: "case", to: "upper" },
    { rule: "order" },
    { rule: "default", parameter: "interval", value: "5m" },
    { rule: "synonyms", words: { google: "GOOGL" } },
    { rule: "date", zone: "America/New_York", parameter: "day" }
  ]
})

const bytes = (text: string) => new TextEncoder().encode(text)
const now = Date.UTC(2026, 10, 21, 12)

/** Spellings of one key; the first is the canonical one. */
const spellings = [
  "GOOGL?day=2026-11-21&range=1d",
  "google?range=1d&day=today",
  "Google?day=today&range=1d&interval=5m",
  "googl?interval=5m&range=1d&day=today-0",
  "GOOGLE?range=1d&day=2026-11-21"
]

const spelling = fc.constantFrom(...spellings)

describe("StoreAliased", () => {
  for (const [name, world] of [
    ["StoreKv", kvMode],
    ["StoreDurable", durableMode]
  ] as const) {
    it(`whatever is done through one spelling is seen through all of them, over ${name}`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.constantFrom("set", "setMany", "delete", "load"), spelling, spelling), {
            minLength: 1,
            maxLength: 8
          }),
          (steps) =>
            Effect.gen(function* () {
              yield* TestClock.setTime(now)
              const store = yield* Store
              let value: string | undefined
              for (const [index, [step, through, reader]] of steps.entries()) {
                yield* TestClock.adjust("2 seconds")
                const next = `value ${index}`
                if (step === "set") yield* store.set(quotes, through, bytes(next))
                if (step === "setMany") {
                  yield* store.writeMany(quotes, [
                    { key: reader, value: bytes("overwritten") },
                    { key: through, value: bytes(next) }
                  ])
                }
                if (step === "delete") yield* store.delete(quotes, through)
                if (step === "load") {
                  const load = Effect.succeedSome({ value: bytes(next) })
                  yield* store.getOrLoad(quotes, through, load)
                }
                value = step === "delete" ? undefined : step === "load" ? (value ?? next) : next
                const at = now + 2000 * (index + 1)
                const seen = [
                  (yield* store.get(quotes, reader)).entry,
                  ...(yield* lookups(store, quotes, spellings)).map(({ entry }) => entry),
                  store.held(quotes, reader, at)?.entry
                ]
                for (const entry of seen) {
                  assert.strictEqual(entry && new TextDecoder().decode(entry.value), value)
                }
              }
              const { keys } = yield* store.list(quotes, {})
              assert.deepStrictEqual(
                keys.map(({ key }) => key),
                value === undefined ? [] : [spellings[0]!]
              )
            }).pipe(Effect.provide(aliased(world())), virtually, Effect.runPromise)
        ),
        { numRuns: runs(25), seed: 1 }
      ))
  }

  it.effect("five spellings of a key cost one KV read", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const store = yield* Store
      for (const key of spellings) yield* store.get(quotes, key)
      assert.strictEqual((yield* Ledger).report().total.kv.reads, 1)
      assert.strictEqual((yield* Ledger).report().total.logical.reads, spellings.length)
    }).pipe(Effect.provide(aliased(kvMode())))
  )

  it.effect("other keys stay apart, and other collections", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const plain = define("plain")
      yield* store.set(quotes, "GOOGL", bytes("1"))
      yield* store.set(plain, "GOOGL", bytes("2"))
      assert.isUndefined((yield* store.get(quotes, "GOOG")).entry)
      assert.isUndefined((yield* store.get(quotes, "GOOGL?interval=1d")).entry)
      assert.isUndefined((yield* store.get(plain, "google")).entry)
    }).pipe(Effect.provide(aliased(kvMode())))
  )

  it.effect("shows the learning what is written and what is loaded, once", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const plain = define("plain")
      for (const text of ["the first of them", "the second of them", "the third of them"]) {
        yield* TestClock.adjust("2 hours")
        yield* store.set(plain, "a", bytes(text))
        const load = Effect.succeed(Option.some({ value: bytes(text) }))
        for (let i = 0; i < 3; i++) yield* store.getOrLoad(plain, "b", load)
      }
      assert.deepStrictEqual((yield* KeyAlias).stats().suggestions, [
        { collection: "plain", keys: ["a", "b"], equal: 3, unequal: 0, rule: undefined }
      ])
    }).pipe(Effect.provide(aliased(kvMode())))
  )
})
