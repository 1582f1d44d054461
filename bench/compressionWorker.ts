import * as CompressionZlib from "../src/layers/compression/CompressionZlib.ts"

/** Streams of any length through the service, in workerd; the content is text that repeats about as logs do. */
const compression = CompressionZlib.make()

const line = (i: number): string =>
  `2026-11-${10 + (i % 20)} ${i * 7919} GET /api/v1/quotes?symbols=S${(i * 31) % 977} 200 ${(i * 104_729) % 90_001} bytes\n`

const chunkOf = (from: number): Uint8Array =>
  new TextEncoder().encode(Array.from({ length: 1024 }, (_, i) => line(from + i)).join(""))

const content = (bytes: number): ReadableStream<Uint8Array> => {
  let made = 0
  let next = 0
  return new ReadableStream({
    pull: (controller) => {
      const chunk = chunkOf(next)
      next += 1024
      made += chunk.byteLength
      controller.enqueue(chunk)
      if (made >= bytes) controller.close()
    }
  })
}

/** The same stream; `count` is told of every chunk. */
const counted = (stream: ReadableStream<Uint8Array>, count: (bytes: number) => void): ReadableStream<Uint8Array> => {
  const reader = stream.getReader()
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await reader.read()
      if (done) return controller.close()
      count(value.byteLength)
      controller.enqueue(value)
    }
  })
}

/** Encodes and decodes so many bytes. Its answer begins with spaces, one for each 16 MB: nobody's patience ends. */
const measured = (bytes: number, coding: "gzip" | "br"): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  let packed = 0
  let back = 0
  let told = 0
  const encoded = counted(compression.encodeStream(content(bytes), coding), (length) => {
    packed += length
  })
  const reader = compression.decodeStream(encoded, coding, 2 * bytes).getReader()
  return new ReadableStream({
    pull: async (controller) => {
      for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) {
        back += next.value.byteLength
        if (back < told + 16_000_000) continue
        told = back
        controller.enqueue(encoder.encode(" "))
        return
      }
      controller.enqueue(encoder.encode(JSON.stringify({ packed, back })))
      controller.close()
    }
  })
}

export default {
  fetch: (request: Request): Response => {
    const { searchParams } = new URL(request.url)
    return new Response(
      measured(Number(searchParams.get("bytes")), searchParams.get("coding") === "br" ? "br" : "gzip")
    )
  }
}
