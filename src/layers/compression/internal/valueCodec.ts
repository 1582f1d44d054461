import { deflateRawSync } from "node:zlib"
import type {
  Compressed,
  Compression,
  CompressOptions,
  StoredCoding
} from "../../../services/compression/Compression.ts"
import * as Rules from "../../../services/compression/model/CompressionRules.ts"
import { CompressionTable } from "./CompressionTable.ts"
import * as Codecs from "./zlibCodecs.ts"

/** Of a Compression what concerns values that lie in memory as a whole. */
export interface ValueCodec extends Pick<Compression["Type"], "compress" | "statistics"> {
  readonly decode: (bytes: Uint8Array, coding: StoredCoding, limit: number) => Uint8Array | Codecs.Undecoded
}

export const make = (table = new CompressionTable()): ValueCodec => ({
  compress: (bytes, options: CompressOptions): Compressed => {
    const mediaType = Rules.mediaTypeOf(options.contentType)
    const coding = options.coding ?? codingFor(bytes.byteLength, mediaType, options.use)
    const before = performance.now()
    if (!isWorthTrying(bytes, mediaType, coding, table)) {
      table.skipped(mediaType, bytes.byteLength)
      return { bytes, coding: "identity" }
    }
    const packed = Codecs.encode(bytes, coding, options.use)
    const kept = Rules.isWorthKeeping(bytes.byteLength, packed.byteLength + (options.overhead ?? 0))
    table.tried(mediaType, bytes.byteLength, packed.byteLength, kept, performance.now() - before)
    return kept ? { bytes: packed, coding } : { bytes, coding: "identity" }
  },

  decode: (bytes, coding, limit) => {
    if (coding !== "identity") return Codecs.decode(bytes, coding, limit)
    return bytes.byteLength > limit ? { reason: "TooLarge", cause: undefined } : bytes
  },

  statistics: table.counts
})

const codingFor = (bytes: number, mediaType: string, use: CompressOptions["use"]): Codecs.ZlibCoding => {
  if (bytes <= Rules.maxDictionaryBytes && /[/+]json$/.test(mediaType)) return "deflate+json1"
  return use === "inline" ? "gzip" : "br"
}

export const isWorthTrying = (
  bytes: Uint8Array,
  mediaType: string,
  coding: Codecs.ZlibCoding,
  table: CompressionTable
): boolean => {
  if (bytes.byteLength < (coding === "deflate+json1" ? Rules.minDictionaryBytes : Rules.minBytes)) return false
  switch (Rules.compressibilityOf(mediaType)) {
    case "always":
      return true
    case "never":
      return false
    case "unknown": {
      if (!table.isPromising(mediaType)) return false
      const probe = Rules.probeOf(bytes)
      return Rules.isWorthKeeping(probe.byteLength, deflateRawSync(probe, { level: 1 }).byteLength)
    }
  }
}
