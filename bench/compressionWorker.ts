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

const counted = async (stream: ReadableStream<Uint8Array>): Promise<number> => {
  let total = 0
  const reader = stream.getReader()
  for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) {
    total += next.value.byteLength
  }
  return total
}

export default {
  fetch: async (request: Request): Promise<Response> => {
    const { searchParams } = new URL(request.url)
    const bytes = Number(searchParams.get("bytes"))
    const coding = searchParams.get("coding") === "br" ? "br" : "gzip"
    const packed = await counted(compression.encodeStream(content(bytes), coding))
    const back = await counted(
      compression.decodeStream(compression.encodeStream(content(bytes), coding), coding, 2 * bytes)
    )
    return Response.json({ packed, back })
  }
}
