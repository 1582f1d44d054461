import { gunzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Blocks from "../../../src/services/compression/model/GzipBlocks.ts"
import { runs } from "../../support/runs.ts"

const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(40)).map(([part, times]) => {
    const whole = new Uint8Array(part.byteLength * times)
    for (let i = 0; i < times; i++) whole.set(part, i * part.byteLength)
    return whole
  })
)

const read = async (stream: ReadableStream<Uint8Array>) => new Uint8Array(await new Response(stream).arrayBuffer())

const streamOf = (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()

describe("gzip with restart points", () => {
  it("is one ordinary gzip member, whatever chunks the content came in", () => {
    fc.assert(
      fc.property(content, fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 50 }), (bytes, block, size) => {
        const writer = new Blocks.GzipBlockWriter(block)
        const made: Array<Uint8Array> = []
        for (let at = 0; at < bytes.byteLength; at += size) made.push(...writer.push(bytes.subarray(at, at + size)))
        made.push(...writer.end())
        const member = Buffer.concat(made)
        expect(new Uint8Array(gunzipSync(member))).toStrictEqual(bytes)
        expect(Blocks.storedBytesOf(writer.index())).toBe(member.byteLength)
        const text = Blocks.encodeIndex(writer.index())
        expect(Blocks.decodeIndex(text, member.byteLength)).toStrictEqual(writer.index())
        expect(Blocks.decodeIndex(text, member.byteLength + 1)).toBeUndefined()
      })
    )
  })

  it("decodes any part from the blocks that hold it alone", async () => {
    const property = fc.asyncProperty(
      content.filter((bytes) => bytes.byteLength > 0),
      fc.integer({ min: 1, max: 64 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      async (bytes, block, at, share) => {
        const offset = Math.floor(at * bytes.byteLength)
        const length = 1 + Math.floor(share * (bytes.byteLength - offset))
        const member = Blocks.encodeBlocks(bytes, block)
        const span = Blocks.spanOf(member.index, offset, length)
        const stored = member.bytes.subarray(span.storedOffset, span.storedOffset + span.storedLength)
        expect(stored.byteLength).toBe(span.storedLength)
        expect(await read(Blocks.decodeSpan(streamOf(stored), span))).toStrictEqual(
          bytes.subarray(offset, offset + length)
        )
      }
    )
    await fc.assert(property, { numRuns: runs(150) })
  })

  it("keeps the index of the largest object within R2's metadata", () => {
    for (const bytes of [1, 128 * 2 ** 20, 128 * 2 ** 20 + 1, 5 * 2 ** 30]) {
      const blockBytes = Blocks.blockBytesFor(bytes)
      const lengths = Array.from({ length: Math.ceil(bytes / blockBytes) }, () => blockBytes + 20)
      expect(Blocks.encodeIndex({ blockBytes, bytes, lengths }).length).toBeLessThan(6000)
    }
  })

  it("takes nothing for an index that is none", () => {
    for (const text of ["", "!", "AA==", "AQ==", "AYCACAEB", "x".repeat(100)]) {
      expect(Blocks.decodeIndex(text, 100)).toBeUndefined()
    }
  })
})
