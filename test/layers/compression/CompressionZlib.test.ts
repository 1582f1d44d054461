import { describe, expect, it } from "@effect/vitest"
import * as CompressionZlib from "../../../src/layers/compression/CompressionZlib.ts"
import * as Random from "../../../src/services/base/model/Random.ts"

const text = new TextEncoder().encode("A cache that spends almost no operations. ".repeat(200))

const noise = (bytes: number): Uint8Array => {
  const random = Random.make(3)
  return Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256))
}

describe("CompressionZlib", () => {
  it("takes gzip while a request waits, brotli in the background, a dictionary for small JSON", () => {
    const { compress } = CompressionZlib.make()
    expect(compress(text, { contentType: "text/plain", use: "inline" }).coding).toBe("gzip")
    expect(compress(text, { contentType: "text/plain", use: "flush" }).coding).toBe("br")
    const quote = new TextEncoder().encode('{"symbol":"AAPL","price":231.4,"change":-0.7,"timestamp":1790000000000}')
    const packed = compress(quote, { contentType: "application/json", use: "inline" })
    expect(packed.coding).toBe("deflate+json1")
    expect(packed.bytes.byteLength).toBeLessThan(0.7 * quote.byteLength)
  })

  it("leaves alone what its type says is compressed, and what is too short to gain", () => {
    const { compress, statistics } = CompressionZlib.make()
    expect(compress(text, { contentType: "image/png", use: "inline" }).coding).toBe("identity")
    expect(compress(text.subarray(0, 100), { contentType: "text/plain", use: "inline" }).coding).toBe("identity")
    expect(statistics().get("image/png")).toMatchObject({ values: 1, skipped: 1, kept: 0, bytesOut: text.byteLength })
  })

  it("tries an unknown type on a probe of it, and stops trying one that never gains", () => {
    const { compress, statistics } = CompressionZlib.make()
    const options = { contentType: "application/x-own", use: "inline" } as const
    expect(compress(text, options).coding).toBe("gzip")
    expect(compress(noise(20_000), options).coding).toBe("identity")
    expect(statistics().get("application/x-own")).toMatchObject({ values: 2, kept: 1, skipped: 1 })
  })

  it("counts what it gained by media type, without parameters, for a bounded number of types", () => {
    const { compress, statistics } = CompressionZlib.make()
    compress(text, { contentType: "Text/HTML; charset=utf-8", use: "inline" })
    const counts = statistics().get("text/html")!
    expect(counts).toMatchObject({ values: 1, kept: 1, skipped: 0, bytesIn: text.byteLength })
    expect(counts.bytesOut).toBeLessThan(text.byteLength / 10)
    for (let i = 0; i < 500; i++) compress(text, { contentType: `text/x-${i}`, use: "inline" })
    expect(statistics().size).toBeLessThanOrEqual(101)
    expect([...statistics().values()].reduce((sum, { values }) => sum + values, 0)).toBe(501)
  })

  it("offers Zstandard only where a round trip works", () => {
    expect(CompressionZlib.make().codings.filter((it) => it !== "zstd")).toStrictEqual(["br", "gzip", "deflate"])
  })

  it("holds back a stream that nobody reads, however far a chunk expands", async () => {
    const { compress, decodeStream } = CompressionZlib.make()
    const packed = compress(new Uint8Array(50_000_000), { contentType: "text/plain", use: "inline" })
    const before = process.memoryUsage().arrayBuffers
    const source = new Blob([packed.bytes as Uint8Array<ArrayBuffer>]).stream()
    const stream = decodeStream(source, "gzip", Number.POSITIVE_INFINITY)
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000)
    let total = 0
    for await (const chunk of stream) total += chunk.byteLength
    expect(total).toBe(50_000_000)
  })
})
