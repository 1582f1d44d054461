import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import { compareUtf8 } from "../../../src/services/kv/model/KvPaging.ts"
import type { CopySource, Head, StoreOfRecordError, Target } from "../../../src/services/migration/StoresOfRecord.ts"
import type { Entry } from "../../../src/services/store/model/Entry.ts"
import { hashedTag } from "../../../src/services/store/model/Tags.ts"
import { legalKeys, values } from "../kv/kvValues.ts"

/** Entries of this moment are stamped in the seconds before it. */
export const moment = 1_000_000_000_000

const entry = (second: number, more: Partial<Entry> = {}): Entry => ({
  value: Uint8Array.of(second),
  contentType: "text/plain",
  tags: [],
  stamp: { wall: moment - 60_000 + second * 1000, counter: 0, writer: "w" },
  expiresAt: moment + 3_600_000,
  loadMillis: 0,
  ...more
})

const headOf = (id: string, { expiresAt, stamp, tags }: Entry): Head => ({ id, version: stamp, expiresAt, tags })

/** What every store of record promises that can be read as a whole and written. `make` gives an empty one. */
export const contract = (
  name: string,
  make: () => Effect.Effect<CopySource & Target>,
  options: { readonly runs: number }
): void => {
  const law = (title: string, body: (store: CopySource & Target) => Effect.Effect<void, StoreOfRecordError>) =>
    it.effect(title, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(moment)
        yield* body(yield* make())
      })
    )

  const allOf = (store: CopySource, limit: number) =>
    Effect.gen(function* () {
      const heads: Array<Head> = []
      let cursor: string | undefined
      do {
        const page = yield* store.page(cursor, limit)
        heads.push(...page.heads)
        cursor = page.cursor
      } while (cursor !== undefined)
      return heads.sort((a, b) => compareUtf8(a.id, b.id))
    })

  const readAll = (store: CopySource, asked: ReadonlyArray<Head>) =>
    Effect.gen(function* () {
      const entries: Array<Entry | undefined> = []
      while (entries.length < asked.length) {
        const part = yield* store.read(asked.slice(entries.length))
        expect(part.length).toBeGreaterThan(0)
        entries.push(...part)
      }
      return entries
    })

  describe(`${name} keeps the contract of a store of record:`, () => {
    law("an empty one has an empty page and no more", (store) =>
      Effect.gen(function* () {
        expect(yield* store.page(undefined, 10)).toStrictEqual({ heads: [], cursor: undefined })
      })
    )

    law("every kind of key and value is listed with its version, and read as it was written", (store) =>
      Effect.gen(function* () {
        const written = [
          ...legalKeys.map(([, key], second) => ({ id: `default/${key}`, entry: entry(second) })),
          ...legalKeys.map(([, key], second) => ({ id: `notes/${key}`, entry: entry(second, { tags: ["a", "ü"] }) })),
          ...values.map(([key, value], second) => ({ id: `values/${key}`, entry: entry(second, { value }) })),
          {
            id: "default/with much beside it",
            entry: entry(1, { tags: Array.from({ length: 20 }, (_, number) => hashedTag(`${number}`)) })
          },
          { id: "default/for ever", entry: entry(1, { expiresAt: Number.POSITIVE_INFINITY, loadMillis: 5 }) }
        ]
        expect(yield* store.write(written)).toStrictEqual(written.map(() => true))
        const heads = yield* allOf(store, 7)
        const expected = written.sort((a, b) => compareUtf8(a.id, b.id))
        expect(heads).toStrictEqual(expected.map(({ entry, id }) => headOf(id, entry)))
        expect(yield* readAll(store, heads)).toStrictEqual(expected.map(({ entry }) => entry))
      })
    )

    it.effect.prop(
      "of several writes to an id the highest version stays, in whatever order they come",
      [fc.array(fc.tuple(fc.constantFrom("default/a", "notes/b"), fc.nat(5)), { maxLength: 12 })],
      ([writes]) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(moment)
          const store = yield* make()
          const highest = new Map<string, number>()
          for (const [id, second] of writes) {
            expect(yield* store.write([{ id, entry: entry(second) }])).toStrictEqual([true])
            highest.set(id, Math.max(highest.get(id) ?? 0, second))
          }
          expect(yield* allOf(store, 10)).toStrictEqual(
            [...highest].sort().map(([id, second]) => headOf(id, entry(second)))
          )
        }),
      { fastCheck: { numRuns: options.runs } }
    )

    law("a removal takes the version it names, and nothing newer", (store) =>
      Effect.gen(function* () {
        yield* store.write([
          { id: "default/a", entry: entry(1) },
          { id: "default/b", entry: entry(2) }
        ])
        yield* store.remove([headOf("default/a", entry(1)), headOf("default/b", entry(1))])
        yield* store.remove([headOf("default/never there", entry(1))])
        expect((yield* allOf(store, 10)).map(({ id }) => id)).toStrictEqual(["default/b"])
        yield* store.write([{ id: "default/a", entry: entry(3) }])
        expect((yield* allOf(store, 10)).map(({ id }) => id)).toStrictEqual(["default/a", "default/b"])
      })
    )

    law("what has expired is neither listed nor read", (store) =>
      Effect.gen(function* () {
        const short = entry(1, { expiresAt: moment + 90_000 })
        yield* store.write([{ id: "default/a", entry: short }])
        yield* TestClock.setTime(moment + 89_999)
        expect((yield* allOf(store, 10)).length).toBe(1)
        yield* TestClock.setTime(moment + 90_000)
        expect(yield* allOf(store, 10)).toStrictEqual([])
        expect(yield* store.read([headOf("default/a", short)])).toStrictEqual([undefined])
      })
    )

    law("values too large to be held at once are read in batches", (store) =>
      Effect.gen(function* () {
        const large = Array.from({ length: 6 }, (_, second) => ({
          id: `default/${second}`,
          entry: entry(second, { value: new Uint8Array(12 * 1024 * 1024).fill(second) })
        }))
        for (const one of large) yield* store.write([one])
        const heads = yield* allOf(store, 10)
        expect(heads.length).toBe(6)
        const batches: Array<number> = []
        for (let at = 0; at < heads.length; ) {
          const part = yield* store.read(heads.slice(at))
          expect(part.map((entry) => entry?.value[0])).toStrictEqual(part.map((_, index) => at + index))
          batches.push(part.length)
          at += part.length
        }
        expect(batches.at(-1)).toBe(1)
      })
    )
  })
}
