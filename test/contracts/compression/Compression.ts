import { describe, expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import { concat } from "../../../src/services/base/model/ByteCodec.ts"
import type { Compression, StoredCoding } from "../../../src/services/compression/Compression.ts"
import { runs } from "../../support/runs.ts"

type Service = Context.Tag.Service<Compression>

const encoder = new TextEncoder()

export const codings = ["gzip", "deflate", "br", "deflate+json1"] as const satisfies ReadonlyArray<StoredCoding>

const types = ["text/plain", "application/json; charset=utf-8", "image/png", "application/octet-stream", ""]

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 5000 }),
  fc.json().map((text) => encoder.encode(text)),
  fc.tuple(fc.string({ maxLength: 40 }), fc.nat(300)).map(([text, times]) => encoder.encode(text.repeat(times)))
)

const sourceOf = (chunks: ReadonlyArray<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    }
  })

const collected = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> => {
  const reader = stream.getReader()
  reader.closed.catch(() => undefined)
  const chunks: Array<Uint8Array> = []
  for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) chunks.push(next.value)
  return concat(chunks)
}

const followed = (value: Uint8Array, by: number): Uint8Array => {
  const longer = new Uint8Array(value.byteLength + by).fill(65)
  longer.set(value)
  return longer
}

/** What every Compression promises; `encode` compresses whatever the Layer would do. */
export const compressionContract = (
  name: string,
  make: () => Service,
  encode: (value: Uint8Array, coding: (typeof codings)[number]) => Uint8Array
): void => {
  describe(`Compression: ${name}`, () => {
    it("what is compressed decodes to the same bytes, and is never larger", () => {
      const service = make()
      const property = fc.property(
        bytes,
        fc.constantFrom(...types),
        fc.constantFrom("inline", "flush"),
        fc.constantFrom(undefined, ...codings),
        (value, contentType, use, coding) => {
          const packed = service.compress(value, { contentType, use, ...(coding === undefined ? {} : { coding }) })
          expect(packed.bytes.byteLength).toBeLessThanOrEqual(value.byteLength)
          if (packed.coding === "identity") expect(packed.bytes).toBe(value)
          else expect(packed.bytes.byteLength).toBeLessThanOrEqual(0.9 * value.byteLength)
          expect(service.decompress(packed.bytes, packed.coding, value.byteLength)).toStrictEqual(Either.right(value))
        }
      )
      fc.assert(property, { numRuns: runs(200) })
    })

    it.each(codings)("%s: a cut, a foreign byte behind and a limit below the length are refused", (coding) => {
      const service = make()
      const value = encoder.encode('{"id":1,"name":"larder"}'.repeat(50))
      const packed = encode(value, coding)
      const reason = (given: Uint8Array, limit: number) => {
        const result = service.decompress(given, coding, limit)
        return Either.isLeft(result) ? result.left.reason : "decoded"
      }
      expect(reason(packed, value.byteLength)).toBe("decoded")
      expect(reason(packed, value.byteLength - 1)).toBe("TooLarge")
      for (let cut = 0; cut < packed.byteLength; cut++) {
        expect(reason(packed.subarray(0, cut), value.byteLength)).toBe("Damaged")
      }
      expect(reason(followed(packed, 1), value.byteLength)).toBe("Damaged")
      expect(reason(followed(packed, 100), value.byteLength)).toBe("Damaged")
    })

    it.each(codings)("%s: a value that expands far beyond the limit is refused", (coding) => {
      const packed = encode(new Uint8Array(4_000_000), coding)
      const result = make().decompress(packed, coding, 1000)
      expect(Either.isLeft(result) && result.left.reason).toBe("TooLarge")
    })

    it("several gzip members are one value", () => {
      const [a, b] = [encoder.encode("a".repeat(500)), encoder.encode("b".repeat(500))]
      const [first, second] = [encode(a, "gzip"), encode(b, "gzip")]
      const both = followed(first, second.byteLength)
      both.set(second, first.byteLength)
      const decoded = make().decompress(both, "gzip", 1000)
      expect(Either.isRight(decoded) && new TextDecoder().decode(decoded.right)).toBe("a".repeat(500) + "b".repeat(500))
    })

    it.each(["gzip", "deflate", "br"] as const)("%s: a stream decodes to the same bytes", async (coding) => {
      const service = make()
      const property = fc.asyncProperty(bytes, fc.integer({ min: 1, max: 700 }), async (value, size) => {
        const packed = encode(value, coding)
        const chunks: Array<Uint8Array> = []
        for (let at = 0; at < packed.byteLength; at += size) chunks.push(packed.subarray(at, at + size))
        expect(await collected(service.decodeStream(sourceOf(chunks), coding, value.byteLength))).toStrictEqual(value)
      })
      await fc.assert(property, { numRuns: runs(60) })
    })

    it.each(["gzip", "deflate", "br"] as const)("%s: a damaged or too long stream ends in an error", async (coding) => {
      const service = make()
      const value = encoder.encode("the same again, ".repeat(5000))
      const packed = encode(value, coding)
      const outcome = (given: Uint8Array, limit: number) =>
        collected(service.decodeStream(sourceOf([given]), coding, limit)).then(
          () => "decoded",
          (error: { readonly reason?: string }) => error.reason
        )
      expect(await outcome(packed, value.byteLength)).toBe("decoded")
      expect(await outcome(packed, value.byteLength - 1)).toBe("TooLarge")
      expect(await outcome(packed.subarray(0, packed.byteLength - 1), value.byteLength)).toBe("Damaged")
      expect(await outcome(followed(packed, 9), value.byteLength)).toBe("Damaged")
    })

    it("a source that fails fails the stream with its own error", async () => {
      const failing = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(new Error("the sender left"))
      })
      const outcome = await collected(make().decodeStream(failing, "gzip", 1000)).catch((error: Error) => error.message)
      expect(outcome).toBe("the sender left")
    })

    it("a reader that leaves releases the source", async () => {
      let cancelled = false
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(1000)),
        cancel: () => {
          cancelled = true
        }
      })
      await make().encodeStream(endless, "gzip").cancel()
      expect(cancelled).toBe(true)
    })

    it("every coding offered for responses encodes a stream", async () => {
      const service = make()
      for (const coding of service.codings.filter((it) => it !== "zstd")) {
        const value = encoder.encode("what a response says, ".repeat(900))
        const half = value.byteLength >> 1
        const packed = await collected(
          service.encodeStream(sourceOf([value.subarray(0, half), value.subarray(half)]), coding)
        )
        expect(packed.byteLength).toBeLessThan(value.byteLength / 10)
        expect(service.decompress(packed, coding as "gzip" | "deflate" | "br", value.byteLength)).toStrictEqual(
          Either.right(value)
        )
      }
    })
  })
}
