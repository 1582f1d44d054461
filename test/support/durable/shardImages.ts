import * as fc from "effect/FastCheck"
import type { ShardImage, ShardRow, ShardWrite } from "../../../src/services/durable/Shard.ts"
import type { Stamp } from "../../../src/services/store/model/Entry.ts"

const number = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: Number.MAX_SAFE_INTEGER }) },
  fc.double(),
  fc.constantFrom(0, -0, 1e-20, Number.MAX_SAFE_INTEGER, 2 ** 60, Number.POSITIVE_INFINITY)
)

/** Any string JavaScript has: with a byte order mark in front, of astral characters, or no Unicode at all. */
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  fc.string({ maxLength: 8 }).map((rest) => `\uFEFF${rest}`),
  fc.constantFrom("", "\uD800", "a\uDC00b")
)

export const stamp: fc.Arbitrary<Stamp> = fc.record({ wall: number, counter: number, writer: text })

const body = fc.record({
  value: fc.uint8Array({ maxLength: 64 }),
  contentType: text,
  tags: fc.array(text, { maxLength: 3 }),
  expiresAt: number,
  loadMillis: number
})

export const row: fc.Arbitrary<ShardRow> = fc.record({
  id: text.filter((id) => id !== ""),
  version: stamp,
  ahead: fc.array(stamp, { maxLength: 3 }),
  deletedAt: number,
  body: fc.option(body, { nil: undefined })
})

const tags = fc.array(fc.tuple(text, stamp), { maxLength: 4 }).map((marks) => new Map(marks))

/** Every row of an image has an id of its own. */
export const image: fc.Arbitrary<ShardImage> = fc.record({
  rows: fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 12 }),
  tags
})

export const write: fc.Arbitrary<ShardWrite> = fc.record(
  { id: text, stamp, body: fc.option(body, { nil: undefined }), firstUntil: number, lease: number },
  { requiredKeys: ["id", "stamp", "body"] }
)

/** An image regardless of the order its rows and tags come in. */
export const sorted = (given: ShardImage | undefined) =>
  given && {
    rows: new Map([...given.rows].sort((a, b) => (a.id < b.id ? -1 : 1)).map((one) => [one.id, one])),
    tags: given.tags,
    count: given.rows.length
  }

/** A row whose value says which version it is; `bytes` of it cannot be compressed. */
export const rowOf = (id: string, wall: number, bytes = 8): ShardRow => {
  const value = new Uint8Array(bytes)
  let state = (wall * 2654435761 + id.length * 40503 + (id.codePointAt(id.length - 1) ?? 0)) | 1
  for (let i = 0; i < bytes; i++) {
    state = Math.imul(state, 1664525) + 1013904223
    value[i] = state >>> 24
  }
  return {
    id,
    version: { wall, counter: 0, writer: "w" },
    ahead: [],
    deletedAt: 0,
    body: { value, contentType: "text/plain", tags: [], expiresAt: Number.POSITIVE_INFINITY, loadMillis: 0 }
  }
}
