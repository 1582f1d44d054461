import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type Selected, select } from "../../../src/services/files/model/Representation.ts"
import type { ObjectInfo } from "../../../src/services/files/ObjectStore.ts"
import { type Reference, referenceAnswer } from "../../support/files/referenceServer.ts"
import { runs } from "../../support/runs.ts"

const block = 131_072
const now = Date.UTC(2026, 10, 27, 12)
const modified = fc.constantFrom(now - 86_400_000, now - 86_399_500, now - 500)
const size = fc.oneof(fc.constantFrom(0, 1, 2, block - 1, block, block + 1, 3 * block), fc.nat(2000))

const info = fc.record({ bytes: size, compressed: fc.boolean(), uploadedAt: modified }).map(
  ({ bytes, compressed, uploadedAt }): ObjectInfo => ({
    key: "k",
    bytes,
    storedBytes: compressed ? Math.ceil(bytes / 3) + 20 : bytes,
    coding: compressed ? "gzip" : "identity",
    etag: "abc",
    uploadedAt,
    contentType: "text/plain",
    metadata: {}
  })
)

const position = fc.oneof(
  fc.constantFrom(0, 1, block - 1, block, block + 1, 3 * block - 1, 3 * block),
  fc.nat(2200),
  fc.constant(10 ** 15)
)
const range = fc.oneof(
  fc.tuple(position, position).map(([a, b]) => `bytes=${a}-${b}`),
  position.map((a) => `bytes=${a}-`),
  position.map((n) => `bytes=-${n}`),
  fc.constantFrom(
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "lines=0-1",
    "bytes=0-1,3-4",
    "bytes 0-1",
    "bytes=0x1-2",
    "bytes=+1-2"
  )
)
const tag = fc.constantFrom(
  '"abc"',
  '"abc-gzip"',
  'W/"abc"',
  '"other"',
  "*",
  '"x", "abc"',
  '"x","abc-gzip"',
  "abc",
  '""'
)
const date = fc.oneof(
  fc.constantFrom(-86_401, -86_400, -86_399, -1, 0, 60).map((seconds) => new Date(now + seconds * 1000).toUTCString()),
  fc.constantFrom("yesterday", "0", "2026-11-27T12:00:00Z")
)
const header = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const request = fc.record({
  method: fc.constantFrom("GET" as const, "HEAD" as const),
  accept: fc.constantFrom(undefined, "gzip", "gzip;q=0", "br", "*", "identity, gzip;q=0.5", "gzip, br"),
  headers: fc.record({
    Range: header(range),
    "If-Range": header(fc.oneof(tag, date)),
    "If-Match": header(tag),
    "If-None-Match": header(tag),
    "If-Modified-Since": header(date),
    "If-Unmodified-Since": header(date)
  })
})

describe("the representation of an object", () => {
  it("is what a plain server answers to the same request", () => {
    const seen = new Map<number, number>()
    const property = fc.property(info, request, (object, { accept, headers, method }) => {
      const sent = new Headers(
        Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined)
      )
      const mine: Selected = select(object, method, sent, accept, now)
      const theirs: Reference = referenceAnswer(object, method, sent, accept, now)
      expect(mine).toStrictEqual(theirs)
      seen.set(mine.status, (seen.get(mine.status) ?? 0) + 1)
    })
    fc.assert(property, { numRuns: runs(2000) })
    expect([...seen.keys()].sort()).toStrictEqual([200, 206, 304, 412, 416])
  })
})
