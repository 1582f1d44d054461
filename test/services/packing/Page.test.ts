import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { compareUtf8 } from "../../../src/services/kv/model/KvPaging.ts"
import {
  decode,
  encode,
  expiryOf,
  isElsewhere,
  isYoung,
  merge,
  newName,
  type PageRow,
  pageTombstoneMillis,
  rememberedMillis,
  splitRows,
  supersededMillis,
  swept
} from "../../../src/services/packing/model/Page.ts"
import { rowBytes } from "../../../src/services/snapshots/model/Segment.ts"
import { compareStamps } from "../../../src/services/store/model/Entry.ts"
import { runs } from "../../support/runs.ts"

const written = 1_700_000_000_000

const row = (key: string, wall: number, options: { bytes?: number; expiresAt?: number; deletedAt?: number } = {}) => ({
  key,
  version: { wall, counter: 0, writer: "w" },
  deletedAt: options.deletedAt ?? 0,
  body:
    options.deletedAt === undefined
      ? {
          value: new Uint8Array(options.bytes ?? 1),
          contentType: "text/plain",
          tags: [],
          expiresAt: options.expiresAt ?? Number.POSITIVE_INFINITY,
          loadMillis: 0
        }
      : undefined
})

const elsewhere = (key: string, wall: number): PageRow => ({ ...row(key, wall), body: undefined })

const bytesOf = ({ body, key }: PageRow): number => rowBytes({ id: key, bytes: body?.value.byteLength ?? 0 })
const totalOf = (rows: ReadonlyArray<PageRow>): number => rows.reduce((sum, one) => sum + bytesOf(one), 0)
const inOrder = (rows: ReadonlyArray<PageRow>): ReadonlyArray<PageRow> =>
  [...rows].sort((a, b) => compareUtf8(a.key, b.key))

const anyRow = fc
  .record({
    key: fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
    wall: fc.nat(20),
    kind: fc.constantFrom("living", "mortal", "deleted", "elsewhere"),
    bytes: fc.nat(300)
  })
  .map(({ bytes, key, kind, wall }): PageRow => {
    if (kind === "elsewhere") return elsewhere(key, wall)
    if (kind === "deleted") return row(key, wall, { deletedAt: wall + 1 })
    return row(key, wall, { bytes, ...(kind === "mortal" ? { expiresAt: wall + 500 } : {}) })
  })
const page = fc.uniqueArray(anyRow, { selector: ({ key }) => key, maxLength: 60 }).map(inOrder)
const often = { numRuns: runs(200) }

describe("what two views of a page make together", () => {
  it("is of each key the highest version, in the order of the keys' bytes, and says whether it is news", () => {
    fc.assert(
      fc.property(page, fc.array(anyRow, { maxLength: 20 }), (base, changes) => {
        const { changed, rows } = merge(base, changes)
        const newest = new Map<string, PageRow>()
        for (const one of [...base, ...changes]) {
          const held = newest.get(one.key)
          if (held === undefined || compareStamps(held.version, one.version) < 0) newest.set(one.key, one)
        }
        expect(rows).toStrictEqual(inOrder([...newest.values()]))
        expect(changed).toBe(rows.some((one) => !base.includes(one)))
        expect(merge(rows, changes)).toStrictEqual({ rows, changed: false })
      }),
      often
    )
  })
})

describe("the parts of a page", () => {
  const sizes = fc.oneof(
    fc.array(fc.nat(400), { minLength: 1, maxLength: 80 }),
    fc.array(fc.constantFrom(0, 999, 1000, 1001, 5000), { minLength: 1, maxLength: 30 })
  )

  it("hold its rows in its order, none more than one row beyond its share; a page no larger than it may be is left whole", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 300, max: 4000 }), (sizes, most) => {
        const rows = sizes.map((bytes, at) => row(String(at).padStart(3, "0"), 1, { bytes }))
        const parts = splitRows(rows, most)
        expect(parts.flat()).toStrictEqual(rows)
        expect(parts.every((part) => part.length > 0)).toBe(true)
        // Without its last row, none has reached its share, which is half of what a page may be at most.
        if (parts[0] !== rows) for (const part of parts) expect(totalOf(part.slice(0, -1))).toBeLessThan(most / 2)
        if (totalOf(rows) <= most) expect(parts).toStrictEqual([rows])
      }),
      often
    )
  })

  it("are about half of what a page may be, so that the next writes do not split them again at once", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { minLength: 60, maxLength: 300 }), (sizes) => {
        const rows = sizes.map((bytes, at) => row(String(at).padStart(3, "0"), 1, { bytes }))
        const most = 4000
        fc.pre(totalOf(rows) > most)
        const largest = Math.max(...rows.map(bytesOf))
        const parts = splitRows(rows, most)
        for (const part of parts) expect(totalOf(part)).toBeLessThanOrEqual(most / 2 + largest)
        for (const part of parts.slice(0, -1)) expect(totalOf(part)).toBeGreaterThan(most / 2 - most / 8 - largest)
        expect(parts.length).toBeLessThanOrEqual(Math.ceil((2 * totalOf(rows)) / most))
      }),
      often
    )
  })

  it("of a page of one byte too much are two, of one just full it is one", () => {
    const rows = ["a", "b", "c", "d"].map((key) => row(key, 1, { bytes: 100 }))
    expect(splitRows(rows, totalOf(rows))).toStrictEqual([rows])
    expect(splitRows(rows, totalOf(rows) - 1).length).toBeGreaterThan(1)
  })
})

describe("a sweep of a page", () => {
  const retain = 30_000

  it("keeps the living until they are of use to nobody, and their version until nobody holds an older write", () => {
    for (const life of [1000, rememberedMillis - retain, rememberedMillis, 2 * rememberedMillis]) {
      const one = row("a", written, { expiresAt: written + life })
      const end = written + life + retain
      const forgotten = Math.max(end, written + rememberedMillis)
      expect(swept([one], retain, end - 1)).toStrictEqual([one])
      const left = swept([one], retain, end)
      if (end < forgotten) {
        expect(left).toMatchObject([{ key: "a", version: one.version, body: undefined }])
        expect(isElsewhere(left[0]!)).toBe(false)
        expect(swept(left, retain, forgotten - 1)).toStrictEqual(left)
        expect(swept(left, retain, forgotten)).toStrictEqual([])
      } else expect(left).toStrictEqual([])
      expect(swept([one], retain, forgotten)).toStrictEqual([])
    }
  })

  it("keeps a deleted key's version for an hour, and for ever what has no end, and what lies under a key of its own", () => {
    const gone = row("a", written, { deletedAt: written })
    expect(swept([gone], retain, written + pageTombstoneMillis - 1)).toStrictEqual([gone])
    expect(swept([gone], retain, written + pageTombstoneMillis)).toStrictEqual([])
    const lasting = [row("b", written), elsewhere("c", written)]
    expect(swept(lasting, retain, Number.MAX_SAFE_INTEGER)).toStrictEqual(lasting)
  })

  it("never adds a row or changes a version, and what it leaves out has ended for good", () => {
    fc.assert(
      fc.property(page, fc.nat(1000), fc.nat(2 * rememberedMillis), (rows, retainMillis, now) => {
        const left = swept(rows, retainMillis, now)
        expect(left.map(({ key, version }) => [key, version])).toStrictEqual(
          rows.filter(({ key }) => left.some((one) => one.key === key)).map(({ key, version }) => [key, version])
        )
        expect(swept(left, retainMillis, now)).toStrictEqual(left)
        expect(left.length === 0 || expiryOf({ rows: left, ranges: [] }, retainMillis) > now).toBe(true)
      }),
      often
    )
  })
})

describe("when all of a page has expired", () => {
  it("is when a sweep would leave nothing of it, or later", () => {
    fc.assert(
      fc.property(page, fc.nat(1000), (rows, retainMillis) => {
        const until = expiryOf({ rows, ranges: [] }, retainMillis)
        if (!Number.isFinite(until)) {
          expect(
            rows.some(({ body, deletedAt }) => (body?.expiresAt ?? Number.POSITIVE_INFINITY) && deletedAt === 0)
          ).toBe(true)
          return
        }
        expect(swept(rows, retainMillis, until)).toStrictEqual([])
        if (rows.length > 0) expect(until).toBeGreaterThanOrEqual(rememberedMillis)
      }),
      often
    )
  })

  it("of deleted keys is when the last of them is forgotten, and of what lies under keys of its own never", () => {
    const gone = [row("a", written, { deletedAt: written }), row("b", written, { deletedAt: written + 5 })]
    expect(expiryOf({ rows: gone, ranges: [] }, 1000)).toBe(written + 5 + pageTombstoneMillis + 1000)
    expect(expiryOf({ rows: [...gone, elsewhere("c", written)], ranges: [] }, 0)).toBe(Number.POSITIVE_INFINITY)
  })

  it("of a directory is never", () => {
    const ranges = [{ from: "", name: "x", was: "x" }]
    expect(expiryOf({ ranges, rows: [] }, 0)).toBe(Number.POSITIVE_INFINITY)
    expect(expiryOf({ ranges, rows: [row("a", written, { expiresAt: written + 1 })] }, 0)).toBe(
      written + rememberedMillis
    )
  })
})

it("a page comes back from its bytes as it was, and from changed bytes not at all", () => {
  const name = fc.string({ maxLength: 12 })
  const ranges = fc.array(fc.record({ from: name, name, was: name }), { maxLength: 8 })
  fc.assert(
    fc.property(page, ranges, fc.nat(), fc.integer({ min: 1, max: 255 }), (rows, ranges, at, by) => {
      const bytes = Either.getOrThrow(encode({ rows, ranges }))
      expect(Either.getOrThrow(decode(bytes))).toStrictEqual({ rows, ranges })
      const changed = bytes.slice()
      changed[at % bytes.length]! ^= by
      expect(Either.isLeft(decode(changed))).toBe(true)
    }),
    often
  )
})

it("a page's name tells for an hour that its page may still be on its way, and no two are alike", () => {
  const name = newName(written, 3, 0.5)
  expect(isYoung(name, written)).toBe(true)
  expect(isYoung(name, written + supersededMillis - 1)).toBe(true)
  expect(isYoung(name, written + supersededMillis)).toBe(false)
  const names = [
    newName(written, 3, 0.5),
    newName(written, 4, 0.5),
    newName(written + 1, 3, 0.5),
    newName(written, 3, 0.51)
  ]
  expect(new Set(names).size).toBe(names.length)
})
