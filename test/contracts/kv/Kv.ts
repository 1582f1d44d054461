import { describe, expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { getMany, type Kv, type KvError, type KvReason } from "../../../src/services/kv/Kv.ts"
import { compareUtf8 } from "../../../src/services/kv/model/KvPaging.ts"
import { allBytes, bulkExact, bytes, illegalKeys, legalKeys, mark, metadata, name, values } from "./kvValues.ts"

type KvService = Context.Tag.Service<Kv>

const reasonOf = <A>(effect: Effect.Effect<A, KvError>): Effect.Effect<KvReason | "none"> =>
  Effect.match(effect, { onFailure: (error) => error.reason, onSuccess: () => "none" as const })

/** What every layer of `Kv` promises. `make` is asked once; each test keeps to keys of its own. */
export const contract = (layer: string, make: () => KvService, options: { readonly runs: number }): void => {
  const params = { fastCheck: { numRuns: options.runs } }
  const fresh = (): string => `${crypto.randomUUID()}/`

  describe(`${layer} keeps the contract of Kv:`, () => {
    const kv = make()

    it.effect.each(values)("%s comes back byte for byte, with its metadata", ([, stored]) =>
      Effect.gen(function* () {
        const key = fresh()
        yield* kv.put(key, stored, { metadata: { a: [1, "é"] } })
        const entry = Option.getOrThrow(yield* kv.get(key))
        expect([...entry.value]).toEqual([...stored])
        expect(entry.metadata).toEqual({ a: [1, "é"] })
      })
    )

    it.effect.prop(
      "a value and its metadata come back as they were put, read singly or among many",
      [fc.dictionary(name, fc.tuple(bulkExact, metadata), { minKeys: 1, maxKeys: 8 })],
      ([entries]) =>
        Effect.gen(function* () {
          const prefix = fresh()
          const keys = Object.keys(entries).map((key) => prefix + key)
          yield* Effect.forEach(Object.entries(entries), ([key, [stored, meta]]) =>
            kv.put(prefix + key, stored, { metadata: meta })
          )
          const many = yield* getMany(kv, [...keys, `${prefix}missing-one`])
          expect(many.size).toBe(keys.length)
          for (const [key, [stored, meta]] of Object.entries(entries)) {
            const single = Option.getOrThrow(yield* kv.get(prefix + key))
            for (const entry of [single, many.get(prefix + key)!]) {
              expect([...entry.value]).toEqual([...stored])
              expect(JSON.stringify(entry.metadata)).toBe(JSON.stringify(meta))
            }
          }
        }),
      params
    )

    it.effect("a byte order mark in front survives a single read; a bulk read may drop it, and nothing else", () =>
      Effect.gen(function* () {
        const key = fresh()
        yield* kv.put(key, Uint8Array.of(...mark, 0x61, 0xc3, 0xa9))
        expect([...Option.getOrThrow(yield* kv.get(key)).value]).toEqual([...mark, 0x61, 0xc3, 0xa9])
        const answer = (yield* kv.getBulk([key])).get(key)
        if (typeof answer === "object") expect([...answer.value].slice(-3)).toEqual([0x61, 0xc3, 0xa9])
        else expect(answer).toBe("undecodable")
      })
    )

    it.effect("a key never written is none, singly and in bulk, and has no metadata to confuse", () =>
      Effect.gen(function* () {
        const key = fresh()
        expect(Option.isNone(yield* kv.get(key))).toBe(true)
        expect([...(yield* kv.getBulk([key]))]).toEqual([[key, undefined]])
      })
    )

    it.effect("metadata is null when none was put, and is not inherited from the value before", () =>
      Effect.gen(function* () {
        const key = fresh()
        yield* kv.put(key, bytes("1"), { metadata: { a: 1 } })
        yield* kv.put(key, bytes("2"))
        expect(Option.getOrThrow(yield* kv.get(key)).metadata).toBeNull()
        expect((yield* kv.list({ prefix: key })).keys).toEqual([{ name: key, expiration: undefined, metadata: null }])
      })
    )

    it.effect("an empty value with metadata is there, and whole, among many", () =>
      Effect.gen(function* () {
        const key = fresh()
        yield* kv.put(key, new Uint8Array(0), { metadata: { only: "this" } })
        const found = yield* getMany(kv, [key, `${key}x`])
        expect([...found.keys()]).toEqual([key])
        expect(found.get(key)).toEqual({ value: new Uint8Array(0), metadata: { only: "this" } })
      })
    )

    it.effect("a deleted key is none, and deleting it again is no error", () =>
      Effect.gen(function* () {
        const key = fresh()
        yield* kv.put(key, allBytes)
        yield* kv.delete(key)
        yield* kv.delete(key)
        expect(Option.isNone(yield* kv.get(key))).toBe(true)
        expect((yield* kv.list({ prefix: key })).keys).toEqual([])
      })
    )

    it.effect("deleting a key leaves the keys that its name would be made of", () =>
      Effect.gen(function* () {
        const prefix = fresh()
        yield* kv.put(`${prefix}a`, allBytes)
        yield* kv.put(`${prefix}b`, allBytes)
        yield* kv.delete(`${prefix}a,${prefix}b`)
        expect((yield* kv.list({ prefix })).keys.map((key) => key.name)).toEqual([`${prefix}a`, `${prefix}b`])
      })
    )

    it.effect.each(legalKeys)("takes for a key %s", ([, key]) =>
      Effect.gen(function* () {
        yield* kv.put(key, allBytes)
        expect([...Option.getOrThrow(yield* kv.get(key)).value]).toEqual([...allBytes])
        expect((yield* getMany(kv, [key, "another"])).has(key)).toBe(true)
        yield* kv.delete(key)
        expect(Option.isNone(yield* kv.get(key))).toBe(true)
      })
    )

    it.effect.each(illegalKeys)("refuses for a key, everywhere, %s", ([, key]) =>
      Effect.gen(function* () {
        expect(yield* reasonOf(kv.get(key))).toBe("BadKey")
        expect(yield* reasonOf(kv.getBulk(["legal", key]))).toBe("BadKey")
        expect(yield* reasonOf(kv.put(key, allBytes))).toBe("BadKey")
        expect(yield* reasonOf(kv.delete(key))).toBe("BadKey")
      })
    )

    it.effect("refuses an array for a key, which the binding would read as its elements' joined names", () =>
      Effect.gen(function* () {
        const keys = ["a", "b"] as unknown as string
        expect(yield* reasonOf(kv.get(keys))).toBe("BadKey")
        expect(yield* reasonOf(kv.put(keys, allBytes))).toBe("BadKey")
        expect(yield* reasonOf(kv.delete(keys))).toBe("BadKey")
      })
    )

    it.effect("a bulk read takes 1 to 100 keys", () =>
      Effect.gen(function* () {
        const prefix = fresh()
        const keys = Array.from({ length: 101 }, (_, i) => prefix + i)
        yield* kv.put(keys[99]!, bytes("last"))
        const found = yield* kv.getBulk(keys.slice(0, 100))
        expect(found.size).toBe(100)
        expect(found.get(keys[99]!)).toEqual({ value: bytes("last"), metadata: null })
        expect(yield* reasonOf(kv.getBulk(keys))).toBe("BadOption")
        expect(yield* reasonOf(kv.getBulk([]))).toBe("BadOption")
      })
    )

    it.effect("metadata of 1,024 bytes is taken, 1,025 are too large, and what is no JSON is refused", () =>
      Effect.gen(function* () {
        const key = fresh()
        const cyclic: Array<unknown> = []
        cyclic.push(cyclic)
        yield* kv.put(key, allBytes, { metadata: "é".repeat(511) })
        expect(Option.getOrThrow(yield* kv.get(key)).metadata).toBe("é".repeat(511))
        expect(yield* reasonOf(kv.put(key, allBytes, { metadata: `${"é".repeat(511)}a` }))).toBe("TooLarge")
        expect(yield* reasonOf(kv.put(key, allBytes, { metadata: cyclic }))).toBe("BadOption")
        expect(yield* reasonOf(kv.put(key, allBytes, { metadata: () => 1 }))).toBe("BadOption")
      })
    )

    it.effect("a value of 25 MiB is taken, one byte more is too large", () =>
      Effect.gen(function* () {
        const key = fresh()
        const largest = new Uint8Array(25 * 1024 * 1024)
        yield* kv.put(key, largest)
        expect(Option.getOrThrow(yield* kv.get(key)).value.byteLength).toBe(largest.byteLength)
        expect(yield* reasonOf(kv.put(key, new Uint8Array(largest.byteLength + 1)))).toBe("TooLarge")
        yield* kv.delete(key)
      })
    )

    it.effect("a bulk answer over 25 MB is too large, and many keys are read all the same", () =>
      Effect.gen(function* () {
        const prefix = fresh()
        const keys = ["a", "b", "c"].map((key) => prefix + key)
        const large = new Uint8Array(13 * 1024 * 1024).fill(0x61)
        yield* Effect.forEach(keys, (key) => kv.put(key, large))
        expect(yield* reasonOf(kv.getBulk(keys))).toBe("TooLarge")
        const found = yield* getMany(kv, keys)
        expect(keys.map((key) => found.get(key)?.value.byteLength)).toEqual(keys.map(() => large.byteLength))
        yield* Effect.forEach(keys, kv.delete)
      })
    )

    it.effect.each([59, 0, -1, 60.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
      "refuses an expirationTtl of %d",
      (expirationTtl) =>
        Effect.gen(function* () {
          expect(yield* reasonOf(kv.put(fresh(), allBytes, { expirationTtl }))).toBe("BadOption")
        })
    )

    it.effect.each([29, 0, -1, 30.5, Number.NaN])("refuses a cacheTtl of %d", (cacheTtl) =>
      Effect.gen(function* () {
        expect(yield* reasonOf(kv.get(fresh(), { cacheTtl }))).toBe("BadOption")
        expect(yield* reasonOf(kv.getBulk([fresh()], { cacheTtl }))).toBe("BadOption")
      })
    )

    it.effect.each([30, 60, Number.MAX_SAFE_INTEGER])("takes a cacheTtl of %d", (cacheTtl) =>
      Effect.gen(function* () {
        expect(yield* reasonOf(kv.get(fresh(), { cacheTtl }))).toBe("none")
        expect(yield* reasonOf(kv.getBulk([fresh()], { cacheTtl }))).toBe("none")
      })
    )

    it.effect.each([0, -1, 1.5, 1001])("refuses to list %d keys a page", (limit) =>
      Effect.gen(function* () {
        expect(yield* reasonOf(kv.list({ limit }))).toBe("BadOption")
      })
    )

    it.effect("refuses to list a prefix longer than a key", () =>
      Effect.gen(function* () {
        expect(yield* reasonOf(kv.list({ prefix: "a".repeat(513) }))).toBe("BadOption")
      })
    )

    it.effect.prop(
      "a list, page by page, is every key with the prefix, once, in the order of its UTF-8 bytes",
      [fc.uniqueArray(name, { maxLength: 12 }), fc.integer({ min: 1, max: 5 })],
      ([names, limit]) =>
        Effect.gen(function* () {
          const prefix = fresh()
          const keys = names.map((name) => prefix + name)
          yield* Effect.forEach(keys, (key) => kv.put(key, bytes("v"), { metadata: { n: key.length } }))
          const listed: Array<unknown> = []
          let cursor: string | undefined
          do {
            const page = yield* kv.list({ prefix, limit, ...(cursor === undefined ? {} : { cursor }) })
            expect(page.keys.length).toBeLessThanOrEqual(limit)
            listed.push(...page.keys)
            cursor = page.cursor
          } while (cursor !== undefined)
          expect(listed).toEqual(
            keys.sort(compareUtf8).map((name) => ({ name, expiration: undefined, metadata: { n: name.length } }))
          )
        }),
      params
    )

    it.effect("250 keys, text, binary and missing ones, are all read by their bytes", () =>
      Effect.gen(function* () {
        const prefix = fresh()
        const keys = Array.from({ length: 250 }, (_, i) => prefix + i)
        const stored = (i: number) => (i % 3 === 0 ? Uint8Array.of(0xff, i) : bytes(`value ${i}`))
        yield* Effect.forEach(keys, (key, i) => (i % 10 === 9 ? Effect.void : kv.put(key, stored(i))), {
          concurrency: 25
        })
        const found = yield* getMany(kv, keys)
        expect(found.size).toBe(225)
        keys.forEach((key, i) => {
          if (i % 10 === 9) expect(found.has(key)).toBe(false)
          else expect(found.get(key)?.value).toEqual(stored(i))
        })
      })
    )
  })
}
