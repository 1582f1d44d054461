import { brotliCompressSync, crc32 } from "node:zlib"
import * as Either from "effect/Either"
import { expect, it } from "vitest"
import { rowBytes } from "../../../src/layers/snapshots/internal/snapshotFrames.ts"
import { ByteWriter } from "../../../src/services/base/model/ByteCodec.ts"
import * as Segment from "../../../src/services/snapshots/model/Segment.ts"
import { rowOf } from "../../support/durable/shardImages.ts"

const image = {
  rows: Array.from({ length: 300 }, (_, i) => rowOf(`alerts/${i}`, 1_790_000_000_000 + i, i)),
  tags: new Map([["market", { wall: 1, counter: 2, writer: "w" }]])
}

it("in workerd, too, an image comes back as it was, and smaller than it is", () => {
  const alike = { ...image, rows: image.rows.map((row) => ({ ...row, body: image.rows[250]!.body })) }
  const frame = Either.getOrThrow(Segment.encode(alike))
  expect(frame.byteLength).toBeLessThan(alike.rows.reduce((sum, row) => sum + rowBytes(row), 0) / 4)
  expect(Either.getOrThrow(Segment.decode(frame))).toStrictEqual(alike)
  expect(Either.getOrThrow(Segment.decode(Either.getOrThrow(Segment.encode(image))))).toStrictEqual(image)
})

it("in workerd, too, an image of any size comes back", () => {
  const value = new Uint8Array(20 * 1024 * 1024).map((_, i) => (i * 7919) >> 9)
  for (let bytes = 1; bytes <= value.byteLength; bytes = Math.ceil(bytes * 1.4)) {
    const given = { rows: [{ ...rowOf("a", 1), body: { ...rowOf("a", 1).body!, value: value.subarray(0, bytes) } }] }
    const frame = Either.getOrThrow(Segment.encode({ ...given, tags: new Map() }))
    expect(Either.getOrThrow(Segment.decode(frame)).rows[0]?.body?.value.byteLength).toBe(bytes)
  }
})

it("in workerd, too, a flipped bit is found and a bomb does not go off", () => {
  const frame = Either.getOrThrow(Segment.encode(image)).slice()
  for (let at = 4; at < frame.byteLength; at += 97) {
    frame[at]! ^= 1
    expect(Either.isLeft(Segment.decode(frame))).toBe(true)
    frame[at]! ^= 1
  }
  const zeros = new Uint8Array(brotliCompressSync(new Uint8Array(8 * 1024 * 1024)))
  const writer = new ByteWriter()
  writer.uint32(0x5244524c)
  writer.uint32(0)
  writer.raw(Uint8Array.of(1, 1, 1))
  writer.uint32(1000)
  writer.uint32(zeros.byteLength)
  writer.raw(zeros)
  const bomb = writer.written().slice()
  new DataView(bomb.buffer).setUint32(4, crc32(bomb.subarray(8)), true)
  const result = Segment.decode(bomb)
  expect(Either.isLeft(result) && result.left).toMatchObject({ _tag: "FrameError", reason: "Damaged" })
})
