import { expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import {
  type BulkAnswer,
  getMany,
  isLegalKey,
  type Kv,
  type KvEntry,
  KvError,
  utf8Bytes
} from "../../../src/services/kv/Kv.ts"
import { runs } from "../../support/runs.ts"

/** What each key's bulk answer is, and how many bytes a bulk answer may carry; every call is kept. */
const scripted = (answers: ReadonlyMap<string, BulkAnswer>, capacity = Number.POSITIVE_INFINITY) => {
  const singles: Array<string> = []
  const bulks: Array<ReadonlyArray<string>> = []
  const cacheTtls: Array<number | undefined> = []
  const entryOf = (key: string): KvEntry | undefined => {
    const answer = answers.get(key)
    return answer === "undecodable" ? { value: Uint8Array.of(0xff), metadata: key } : answer
  }
  const kv = {
    get: (key: string, options?: { readonly cacheTtl?: number }) =>
      Effect.sync(() => {
        singles.push(key)
        cacheTtls.push(options?.cacheTtl)
        return Option.fromNullable(entryOf(key))
      }),
    getBulk: (keys: ReadonlyArray<string>, options?: { readonly cacheTtl?: number }) =>
      Effect.suspend(() => {
        bulks.push(keys)
        cacheTtls.push(options?.cacheTtl)
        return keys.length > capacity
          ? Effect.fail(new KvError({ operation: "getBulk", reason: "TooLarge" }))
          : Effect.succeed(new Map(keys.map((key) => [key, answers.get(key)])))
      })
  } as unknown as Context.Tag.Service<Kv>
  return { kv, singles, bulks, cacheTtls, entryOf }
}

const entry = (n: number): KvEntry => ({ value: Uint8Array.of(n), metadata: null })

const answers = fc
  .array(fc.option(fc.oneof(fc.nat(127).map(entry), fc.constant("undecodable" as const)), { nil: undefined }), {
    minLength: 1,
    maxLength: 350
  })
  .map((list) => new Map<string, BulkAnswer>(list.map((answer, i) => [`k${i}`, answer])))

it.effect.prop(
  "getMany finds exactly what single reads would, asking for each key once but for those that are no text",
  { answers, capacity: fc.constantFrom(1, 7, 100), again: fc.nat(20) },
  ({ answers, capacity, again }) =>
    Effect.gen(function* () {
      const { kv, singles, bulks, entryOf } = scripted(answers, capacity)
      const keys = [...answers.keys()]
      const found = yield* getMany(kv, [...keys, ...keys.slice(0, again)])
      for (const key of keys) expect(found.get(key)).toEqual(entryOf(key))
      expect(found.size).toBe(keys.filter((key) => entryOf(key) !== undefined).length)
      const answered = bulks.filter((chunk) => chunk.length <= capacity).flat()
      expect(new Set(answered).size).toBe(answered.length)
      for (const chunk of bulks) expect(chunk.length).toBeLessThanOrEqual(100)
      const asked = new Set(answered)
      expect([...singles].sort()).toEqual(
        keys.filter((key) => !asked.has(key) || answers.get(key) === "undecodable").sort()
      )
    }),
  { fastCheck: { numRuns: runs(100) } }
)

it.effect("no keys are no call, one key is a single read, and the cacheTtl goes with every call", () =>
  Effect.gen(function* () {
    const nothing = scripted(new Map())
    expect((yield* getMany(nothing.kv, [])).size).toBe(0)
    expect([nothing.singles, nothing.bulks]).toEqual([[], []])
    const { kv, singles, bulks, cacheTtls } = scripted(new Map([["b", "undecodable" as const]]))
    yield* getMany(kv, ["a"], { cacheTtl: 60 })
    yield* getMany(kv, ["a", "b"], { cacheTtl: 60 })
    expect([singles, bulks]).toEqual([["a", "b"], [["a", "b"]]])
    expect(cacheTtls).toEqual([60, 60, 60])
  })
)

it.effect("a failure that is not about size is the whole read's failure", () =>
  Effect.gen(function* () {
    const { kv } = scripted(new Map())
    const failing = { ...kv, getBulk: () => Effect.fail(new KvError({ operation: "getBulk", reason: "DailyLimit" })) }
    expect((yield* Effect.flip(getMany(failing, ["a", "b"]))).reason).toBe("DailyLimit")
  })
)

it.prop("utf8Bytes counts what an encoder makes", { text: fc.string({ unit: "binary" }) }, ({ text }) => {
  expect(utf8Bytes(text)).toBe(Buffer.byteLength(text))
})

it("a key is legal up to 512 bytes of well-formed Unicode, but for the empty one and the dots", () => {
  for (const key of ["a", "...", " ", "a".repeat(512), "é".repeat(256)]) expect(isLegalKey(key)).toBe(true)
  for (const key of ["", ".", "..", "a".repeat(513), "é".repeat(257), "\uD800"]) expect(isLegalKey(key)).toBe(false)
})
