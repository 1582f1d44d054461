import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { limits, utf8Bytes } from "../../../src/services/kv/Kv.ts"
import { physicalKey } from "../../../src/services/kv/model/PhysicalKey.ts"
import { decode, decodeListed, encode, keyWithin } from "../../../src/services/packing/model/KvRecord.ts"
import { defaultContentType, type Entry, zeroStamp } from "../../../src/services/store/model/Entry.ts"
import { areSameTags, hashedTag, isHashedTag } from "../../../src/services/store/model/Tags.ts"
import { runs } from "../../support/runs.ts"

const entry: fc.Arbitrary<Entry> = fc.record({
  value: fc.uint8Array({ maxLength: 64 }),
  contentType: fc.oneof(
    fc.constant(defaultContentType),
    fc
      .string({ maxLength: 200 })
      .map((text) => `text/plain; a=${encodeURIComponent(text.toWellFormed()).slice(0, 200)}`)
  ),
  tags: fc.array(fc.string({ unit: "grapheme", maxLength: 200 }), { maxLength: 12 }),
  stamp: fc.record({ wall: fc.nat(), counter: fc.nat(), writer: fc.string({ maxLength: 8 }) }),
  expiresAt: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat()),
  loadMillis: fc.nat()
})

const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 120 }).filter((key) => utf8Bytes(key) <= 512)

describe("an entry as a KV record", () => {
  it("comes back as it went, however much metadata it has, and KV takes its metadata", () => {
    fc.assert(
      fc.property(entry, key, (entry, key) => {
        const record = encode(entry, key, physicalKey("notes", key), 0, 0)
        assert.isAtMost(utf8Bytes(JSON.stringify(record.options.metadata)), limits.metadataBytes)
        const metadata: unknown = JSON.parse(JSON.stringify(record.options.metadata))
        const { tags, ...found } = decode({ value: record.value, metadata })
        const { tags: given, ...rest } = entry
        assert.deepStrictEqual(found, rest)
        assert.isTrue(areSameTags(tags, given))
        if (!tags.some(isHashedTag)) assert.deepStrictEqual(tags, given)
      }),
      { numRuns: runs(1000) }
    )
  })

  it("keeps the value plain under 128 tags of 256 characters: their hashes fit beside a type and an expiry", () => {
    const tags = Array.from({ length: 128 }, (_, at) => `${at}`.padStart(256, "t"))
    const given = {
      ...fc.sample(entry, 1)[0]!,
      tags,
      contentType: "application/json; charset=utf-8",
      stamp: { wall: 1_795_000_000_000, counter: 1_000_000, writer: "~12345678" },
      expiresAt: 1_795_000_000_000,
      loadMillis: 100_000
    }
    const { options, value } = encode(given, "k", "k", 0, 0)
    assert.strictEqual(value, given.value)
    assert.deepStrictEqual(decode({ value, metadata: options.metadata }), { ...given, tags: tags.map(hashedTag) })
    assert.deepStrictEqual(decodeListed(options.metadata).tags, tags.map(hashedTag))
  })

  it("keeps tags as text where they fit, beside those of which only the hash is known", () => {
    const tags = ["a", "b", hashedTag("c")]
    const { options, value } = encode({ ...fc.sample(entry, 1)[0]!, contentType: "text/css", tags }, "k", "k", 0, 0)
    assert.deepStrictEqual(decode({ value, metadata: options.metadata }).tags, tags)
  })

  it("keeps a byte order mark that a bulk read drops", () => {
    const marked = {
      ...fc.sample(entry, 1)[0]!,
      tags: [],
      contentType: "text/css",
      value: Uint8Array.of(0xef, 0xbb, 0xbf, 65)
    }
    const { options, value } = encode(marked, "k", "k", 0, 0)
    assert.deepStrictEqual(decode({ value, metadata: options.metadata }), marked)
    assert.deepStrictEqual(decode({ value: value.slice(3), metadata: options.metadata }), marked)
  })

  it("is bytes where no header can carry the type that was kept", () => {
    for (const contentType of ["text/plain\r\nX: 1", "", "no type"]) {
      const { options, value } = encode({ ...fc.sample(entry, 1)[0]!, contentType }, "k", "k", 0, 0)
      const metadata: unknown = JSON.parse(JSON.stringify(options.metadata))
      assert.strictEqual(decode({ value, metadata }).contentType, defaultContentType)
    }
  })

  it("keeps the plain value wherever the metadata fits", () => {
    const record = encode({ ...fc.sample(entry, 1)[0]!, tags: ["a"], contentType: "text/plain" }, "k", "~notes/k", 0, 0)
    assert.deepStrictEqual((record.options.metadata as { l: number }).l, 1)
  })

  it("tells a listing the key behind a hash, the expiry and the stamp", () => {
    const long = "é".repeat(256)
    const physical = physicalKey("notes", long)
    const given = { ...fc.sample(entry, 1)[0]!, tags: [], contentType: "text/css", expiresAt: 5000 }
    const { options } = encode(given, long, physical, 0, 0)
    assert.deepStrictEqual(decodeListed(options.metadata), { expiresAt: 5000, tags: [], key: long, stamp: given.stamp })
  })

  it("tells the key behind a hash even where listings cannot: it lies in front of the value", () => {
    const long = "\u0001".repeat(510)
    const physical = physicalKey("notes", long)
    const { options, value } = encode({ ...fc.sample(entry, 1)[0]!, expiresAt: 5000 }, long, physical, 0, 0)
    assert.deepStrictEqual(decodeListed(options.metadata), {
      expiresAt: 5000,
      tags: [],
      key: undefined,
      stamp: undefined
    })
    assert.strictEqual(keyWithin({ value, metadata: options.metadata }), long)
  })

  it("is retained for KV's minimum of 60 s, and as long as a failing loader may need it", () => {
    const at = (expiresAt: number, retain: number) =>
      encode({ ...fc.sample(entry, 1)[0]!, tags: [], contentType: "text/css", expiresAt }, "k", "k", 0, retain).options
        .expirationTtl
    assert.strictEqual(at(1000, 0), 60)
    assert.strictEqual(at(100_500, 0), 101)
    assert.strictEqual(at(100_000, 50_000), 150)
    assert.isUndefined(at(Number.POSITIVE_INFINITY, 0))
  })

  it("takes what Larder did not write for version 0, whatever its metadata", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.jsonValue(), (value, metadata) => {
        fc.pre(!(typeof metadata === "object" && metadata !== null && "l" in metadata && "s" in metadata))
        const decoded = decode({ value, metadata })
        assert.deepStrictEqual(
          [decoded.value, decoded.stamp, decoded.expiresAt],
          [value, zeroStamp, Number.POSITIVE_INFINITY]
        )
      })
    )
    const framed = decode({ value: new Uint8Array([1, 2]), metadata: { l: 2, n: 1 } })
    assert.deepStrictEqual(framed.value, new Uint8Array([1, 2]))
  })
})
