import { brotliCompressSync, constants, crc32 } from "node:zlib"
import { expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { rowBytes } from "../../../src/layers/snapshots/internal/snapshotFrames.ts"
import { ByteReader, ByteWriter } from "../../../src/services/base/model/ByteCodec.ts"
import * as Frame from "../../../src/services/compression/model/Frame.ts"
import * as Segment from "../../../src/services/snapshots/model/Segment.ts"
import { image, rowOf, write } from "../../support/durable/shardImages.ts"
import { runs } from "../../support/runs.ts"

const often = { fastCheck: { numRuns: runs(250) } }

const encoded = (rows: Parameters<typeof Segment.encode>[0]) => Either.getOrThrow(Segment.encode(rows))

const reasonOf = <A>(result: Either.Either<A, Frame.FrameError>) =>
  Either.match(result, { onLeft: ({ reason }) => reason, onRight: () => "read" as const })

it.prop(
  "an image comes back as it was: versions, stamps ahead, tombstones, tags, expiry, types, bytes, tag marks",
  [image],
  ([given]) => {
    expect(Either.getOrThrow(Segment.decode(encoded(given)))).toStrictEqual(given)
  },
  often
)

it("rows of pages come back as such, tombstones of their collection among them", () => {
  const tombstone = { ...rowOf("p/gone", 3), body: undefined, deletedAt: 9 }
  const rows = [{ ...rowOf("p/a", 1), packed: true }, rowOf("q/a", 2), tombstone]
  const read = Either.getOrThrow(Segment.decode(encoded({ rows, tags: new Map() })))
  expect(read.rows).toStrictEqual([rows[0], rows[1], { ...tombstone, packed: true }])
})

it.prop(
  "writes come back as they were, with or without lease and first try",
  [fc.array(write, { maxLength: 12 })],
  ([given]) => {
    const frame = Either.getOrThrow(Segment.encodeWrites(given))
    expect(Either.getOrThrow(Segment.decodeWrites(frame))).toStrictEqual(given)
  },
  often
)

it.prop(
  "a flipped bit anywhere is found",
  [image, fc.nat(), fc.nat({ max: 7 })],
  ([given, at, bit]) => {
    const frame = encoded(given).slice()
    frame[at % frame.byteLength]! ^= 1 << bit
    expect(["Foreign", "Damaged"]).toContain(reasonOf(Segment.decode(frame)))
  },
  often
)

it("every single bit of one segment is watched", () => {
  const frame = encoded({ rows: [rowOf("a", 1), rowOf("b", 2, 300)], tags: new Map() })
  for (let bit = 0; bit < frame.byteLength * 8; bit++) {
    const damaged = frame.slice()
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    expect(Either.isLeft(Segment.decode(damaged))).toBe(true)
  }
})

it.prop(
  "cut short anywhere, or with anything behind it, it is no segment",
  [image, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 })],
  ([given, at, more]) => {
    const frame = encoded(given)
    expect(reasonOf(Segment.decode(frame.subarray(0, at % frame.byteLength)))).not.toBe("read")
    expect(reasonOf(Segment.decode(Uint8Array.of(...frame, ...more)))).not.toBe("read")
  },
  often
)

it.prop(
  "whatever the bytes, decoding answers and never throws",
  [fc.uint8Array({ maxLength: 200 })],
  ([bytes]) => {
    expect(reasonOf(Segment.decode(bytes))).toBe("Foreign")
  },
  often
)

/** A frame with a right checksum around whatever is given. */
const forged = (fields: {
  version?: number
  kind?: number
  codec?: number
  payloadBytes: number
  stored: Uint8Array
}) => {
  const { codec = 0, kind = 1, payloadBytes, stored, version = 1 } = fields
  const writer = new ByteWriter()
  writer.uint32(0x5244524c)
  writer.uint32(0)
  writer.raw(Uint8Array.of(version, kind, codec))
  writer.uint32(payloadBytes)
  writer.uint32(stored.byteLength)
  writer.raw(stored)
  const frame = writer.written().slice()
  new DataView(frame.buffer).setUint32(4, crc32(frame.subarray(8)), true)
  return frame
}

it.prop(
  "a forged payload, checksum and all, is refused, not believed",
  [fc.uint8Array({ maxLength: 80 }), fc.boolean()],
  ([payload, compressed]) => {
    const stored = compressed ? new Uint8Array(brotliCompressSync(payload)) : payload
    const frame = forged({ codec: compressed ? 1 : 0, payloadBytes: payload.byteLength, stored })
    const result = Segment.decode(frame)
    if (Either.isLeft(result)) expect(result.left.reason).toBe("Damaged")
    else expect(result.right.rows.length + result.right.tags.size).toBeLessThanOrEqual(payload.byteLength)
  },
  often
)

it("a bomb goes off neither by its length nor by its counts", () => {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 1 }
  const zeros = new Uint8Array(brotliCompressSync(new Uint8Array(64 * 1024 * 1024), { params }))
  expect(reasonOf(Segment.decode(forged({ codec: 1, payloadBytes: 64 * 1024 * 1024, stored: zeros })))).toBe("TooLarge")
  expect(reasonOf(Segment.decode(forged({ codec: 1, payloadBytes: 1000, stored: zeros })))).toBe("Damaged")
  const counts = new ByteWriter()
  counts.varint(Number.MAX_SAFE_INTEGER)
  const payload = counts.written()
  expect(reasonOf(Segment.decode(forged({ payloadBytes: payload.byteLength, stored: payload })))).toBe("Damaged")
})

it("a later version, an unknown codec and another kind are told apart from damage", () => {
  const given = { payloadBytes: 2, stored: Uint8Array.of(0, 0) }
  expect(reasonOf(Segment.decode(forged(given)))).toBe("read")
  expect(reasonOf(Segment.decode(forged({ ...given, version: 2 })))).toBe("Unsupported")
  expect(reasonOf(Segment.decode(forged({ ...given, codec: 9 })))).toBe("Unsupported")
  expect(reasonOf(Segment.decodeWrites(forged(given)))).toBe("Foreign")
})

it("what would not fit in memory when read again is not written", () => {
  const big = rowOf("big", 1, Frame.maxPayloadBytes)
  expect(reasonOf(Segment.encode({ rows: [big], tags: new Map() }))).toBe("TooLarge")
})

it("alike rows are compressed together, and what does not compress is stored as it is", () => {
  const rows = Array.from({ length: 200 }, (_, i) => ({
    ...rowOf(`alerts/state-${i}`, 1_700_000_000_000 + i),
    body: {
      ...rowOf("a", 1).body!,
      value: new TextEncoder().encode(JSON.stringify({ symbol: `S${i}`, lastPrice: i * 1.5, triggered: false }))
    }
  }))
  const raw = rows.reduce((sum, one) => sum + rowBytes(one), 0)
  expect(encoded({ rows, tags: new Map() }).byteLength).toBeLessThan(raw / 6)
  const noise = rowOf("noise", 1, 100_000)
  expect(encoded({ rows: [noise], tags: new Map() }).byteLength).toBeLessThan(100_100)
})

it("a decoded value owns its bytes", () => {
  const rows = [rowOf("a", 1, 10), rowOf("b", 1, 1000)]
  const decoded = Either.getOrThrow(Segment.decode(encoded({ rows, tags: new Map() })))
  expect(decoded.rows[0]!.body!.value.buffer.byteLength).toBe(10)
})

it.prop(
  "numbers and strings of every kind survive the codec",
  [fc.double(), fc.string({ unit: "binary" }), fc.nat({ max: Number.MAX_SAFE_INTEGER })],
  ([number, string, natural]) => {
    const writer = new ByteWriter(0)
    writer.number(number)
    writer.string(string)
    writer.varint(natural)
    const reader = new ByteReader(writer.written())
    expect([reader.number(), reader.string(), reader.varint()]).toStrictEqual([number, string, natural])
    reader.end()
  },
  often
)
