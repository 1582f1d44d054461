import { assert, describe, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../../src/layers/kv/KvMemory.ts"
import { makePackedEntries } from "../../../../src/layers/routing/packedEntries.ts"
import type { StampedWrite } from "../../../../src/services/batching/Batcher.ts"
import { Kv } from "../../../../src/services/kv/Kv.ts"
import { compareUtf8 } from "../../../../src/services/kv/model/KvPaging.ts"
import { ownKeyBytes } from "../../../../src/services/packing/model/Page.ts"
import { defaults } from "../../../../src/services/settings/Settings.ts"
import { define } from "../../../../src/services/store/model/Collection.ts"
import { addressOf } from "../../../../src/services/tiers/ReadPath.ts"
import { runs } from "../../../support/runs.ts"

const notes = define("notes", { packed: true })

/** Isolates over one namespace, with pages of some rows only. */
const isolateOver = (kv: Context.Tag.Service<Kv>, maxPageBytes: number) =>
  makePackedEntries(kv, defaults, undefined, maxPageBytes)

let counter = 0

const write = (
  key: string,
  value: Uint8Array | undefined,
  wall: number,
  expiresAt = Number.POSITIVE_INFINITY
): StampedWrite => {
  counter += 1
  const stamp = { wall, counter, writer: "w" }
  const entry = value && { value, contentType: "x/y", tags: [`t-${key}`], stamp, expiresAt, loadMillis: 0 }
  return { address: addressOf(notes, key), entry, stamp }
}

const keys = ["", "~a", "é", "\ud83d\ude00", "\uffee", ...Array.from({ length: 20 }, (_, n) => `key/${n}`)].slice(1)
const key = fc.constantFrom(...keys)

type Step =
  | { readonly kind: "write"; readonly sets: ReadonlyArray<readonly [string, number, number]> }
  | { readonly kind: "delete" | "read"; readonly keys: ReadonlyArray<string> }
  | { readonly kind: "list"; readonly prefix: string; readonly limit: number }
  | { readonly kind: "clear" | "wait" }

const step: fc.Arbitrary<Step & { readonly isolate: number }> = fc
  .tuple(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("write" as const),
          sets: fc.array(
            fc.tuple(
              key,
              fc.oneof({ weight: 20, arbitrary: fc.nat({ max: 300 }) }, fc.constant(ownKeyBytes)),
              fc.constantFrom(50_000, Number.POSITIVE_INFINITY)
            ),
            { minLength: 1, maxLength: 8 }
          )
        })
      },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constantFrom("delete" as const, "read" as const),
          keys: fc.array(key, { minLength: 1, maxLength: 6 })
        })
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("list" as const),
          prefix: fc.constantFrom("", "key/1", "é", "z"),
          limit: fc.integer({ min: 1, max: 7 })
        })
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("clear" as const, "wait" as const, "wait" as const) }) }
    ),
    fc.nat({ max: 2 })
  )
  .map(([step, isolate]) => ({ ...step, isolate }))

describe("packed records", () => {
  it.effect.prop(
    "equal a Map, however small the pages, while one isolate after the other writes and each sees what KV holds",
    [fc.array(step, { minLength: 5, maxLength: 25 }), fc.constantFrom(300, 1000, 1_000_000)],
    ([steps, maxPageBytes]) =>
      Effect.gen(function* () {
        const kv = yield* Kv
        const isolates = [0, 1, 2].map(() => isolateOver(kv, maxPageBytes))
        const model = new Map<string, { readonly bytes: number; readonly expiresAt: number }>()
        let [now, at] = [0, 0]
        const living = () =>
          [...model].flatMap(([key, { bytes, expiresAt }]) => (now < expiresAt ? [[key, bytes] as const] : []))
        for (const { isolate, ...step } of steps) {
          if (isolate !== at) {
            yield* TestClock.adjust("11 seconds")
            now += 11_000
            at = isolate
          }
          const records = isolates[isolate]!
          switch (step.kind) {
            case "write": {
              const writes = step.sets.map(([key, bytes, ttl]) => {
                model.set(key, { bytes, expiresAt: now + ttl })
                return write(key, new Uint8Array(bytes).fill(1), now, now + ttl)
              })
              assert.deepStrictEqual(
                yield* records.writeMany(writes, now),
                writes.map(() => undefined)
              )
              break
            }
            case "delete":
              for (const key of step.keys) model.delete(key)
              yield* records.writeMany(
                step.keys.map((key) => write(key, undefined, now)),
                now
              )
              break
            case "read": {
              const { observations, siblings } = yield* records.readMany(step.keys.map((key) => addressOf(notes, key)))
              const alive = new Map(living())
              for (const [index, { entry }] of observations.entries()) {
                const found = entry !== undefined && now < entry.expiresAt ? entry.value.byteLength : undefined
                assert.strictEqual(found, alive.get(step.keys[index]!))
              }
              for (const { address, observation } of siblings) {
                assert.strictEqual(observation.entry?.value.byteLength, alive.get(address.key))
                assert.notInclude(step.keys, address.key)
              }
              break
            }
            case "list": {
              const listed: Array<string> = []
              let cursor: string | undefined
              do {
                const page = yield* records.list(notes, { ...step, ...(cursor === undefined ? {} : { cursor }) })
                assert.isAtMost(page.keys.length, step.limit)
                listed.push(...page.keys.map(({ key }) => key))
                cursor = page.cursor
              } while (cursor !== undefined)
              const expected = living().flatMap(([key]) => (key.startsWith(step.prefix) ? [key] : []))
              assert.deepStrictEqual(listed, expected.sort(compareUtf8))
              break
            }
            case "clear":
              yield* records.clear(notes)
              model.clear()
              yield* TestClock.adjust("6 minutes")
              now += 360_000
              break
            case "wait":
              yield* TestClock.adjust("30 seconds")
              now += 30_000
          }
        }
      }).pipe(Effect.provide(KvMemory.layer)),
    { fastCheck: { numRuns: runs(30) } }
  )
})
