import * as zlib from "node:zlib"
import type { CompressionError, StoredCoding } from "../../../services/compression/Compression.ts"
import { jsonDictionary1 } from "../../../services/compression/model/JsonDictionary.ts"

/** Why there are no bytes. No class of Effect's: the codecs are loaded by themselves, without it. */
export interface Undecoded {
  readonly reason: CompressionError["reason"]
  readonly cause: unknown
}

export type ZlibCoding = Exclude<StoredCoding, "identity">

/**
 * Levels: on 3 MB of Markdown, gzip 6 saves 74.5 % at 41 MB/s, brotli 9 80.3 % at 7 MB/s, brotli 11 82.0 % at 0.5 MB/s
 * (`npm run bench -- compression`).
 */
export const gzipLevel = 6

const brotliQuality = { inline: 4, flush: 9 } as const

export const brotliParams = (use: "inline" | "flush", sizeHint = 0): Record<number, number> => ({
  [zlib.constants.BROTLI_PARAM_QUALITY]: brotliQuality[use],
  [zlib.constants.BROTLI_PARAM_SIZE_HINT]: sizeHint
})

export const encode = (bytes: Uint8Array, coding: ZlibCoding, use: "inline" | "flush"): Uint8Array => {
  const level = use === "inline" ? gzipLevel : 9
  switch (coding) {
    case "gzip":
      return plainView(zlib.gzipSync(bytes, { level }))
    case "deflate":
      return plainView(zlib.deflateSync(bytes, { level }))
    case "deflate+json1":
      return plainView(zlib.deflateRawSync(bytes, { level: 9, dictionary: jsonDictionary1 }))
    case "br":
      return plainView(zlib.brotliCompressSync(bytes, { params: brotliParams(use, bytes.byteLength) }))
  }
}

/**
 * Deflate and brotli decoders ignore what follows the end of their data, so the bytes that were used are compared with
 * the bytes given. workerd's cap refuses an output of exactly the cap, and counts the room it makes instead of what it
 * fills: the cap is above the limit, and the length is compared afterwards.
 */
export const decode = (bytes: Uint8Array, coding: ZlibCoding, limit: number): Uint8Array | Undecoded => {
  try {
    const { buffer, engine } = decoded(bytes, coding, 2 * limit + 65_536)
    if (engine.bytesWritten !== bytes.byteLength) return { reason: "Damaged", cause: undefined }
    return buffer.byteLength > limit ? { reason: "TooLarge", cause: undefined } : plainView(buffer)
  } catch (cause) {
    return { reason: cause instanceof RangeError ? "TooLarge" : "Damaged", cause }
  }
}

/** What the decoders return for `info: true`, which the declarations of Node's types leave out. */
interface Decoded {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

const decoded = (bytes: Uint8Array, coding: ZlibCoding, maxOutputLength: number): Decoded => {
  const options = { info: true, maxOutputLength }
  switch (coding) {
    case "gzip":
      return zlib.gunzipSync(bytes, options) as unknown as Decoded
    case "deflate":
      return zlib.inflateSync(bytes, options) as unknown as Decoded
    case "deflate+json1":
      return zlib.inflateRawSync(bytes, { ...options, dictionary: jsonDictionary1 }) as unknown as Decoded
    case "br":
      return zlib.brotliDecompressSync(bytes, options) as unknown as Decoded
  }
}

const plainView = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
