import * as zlib from "node:zlib"
import type * as Context from "effect/Context"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { ContentCoding } from "../../services/base/model/AcceptEncoding.ts"
import { Compression, CompressionError, type Decodable } from "../../services/compression/Compression.ts"
import * as Rules from "../../services/compression/model/CompressionRules.ts"
import { GzipBlockWriter, storedBytesOf } from "../../services/compression/model/GzipBlocks.ts"
import { CompressionTable } from "./internal/CompressionTable.ts"
import * as ValueCodec from "./internal/valueCodec.ts"
import * as Codecs from "./internal/zlibCodecs.ts"
import { through } from "./internal/zlibStream.ts"

/** gzip, deflate and brotli of `node:zlib`, and Zstandard for responses where the runtime has it. */
export const make = (): Context.Tag.Service<Compression> => {
  const table = new CompressionTable()
  const codings = responseCodings()

  const { compress, decode, statistics } = ValueCodec.make(table)
  return {
    compress,
    decompress: (bytes, coding, limit) => {
      const decoded = decode(bytes, coding, limit)
      return decoded instanceof Uint8Array
        ? Either.right(decoded)
        : Either.left(new CompressionError({ operation: "decompress", ...decoded }))
    },
    statistics,
    blocks: ({ beginning, blockBytes, contentType }) => {
      const mediaType = Rules.mediaTypeOf(contentType)
      if (!ValueCodec.isWorthTrying(beginning, mediaType, "gzip", table)) {
        table.skipped(mediaType, beginning.byteLength)
        return undefined
      }
      const writer = new GzipBlockWriter(blockBytes, Codecs.gzipLevel)
      return {
        writer,
        settle: (kept) => {
          const index = writer.index()
          table.tried(mediaType, index.bytes, storedBytesOf(index), kept, 0)
        }
      }
    },
    codings,
    encodeStream: (source, coding) => through(source, encoders[coding](), whatever),
    decodeStream: (source, coding, limit) =>
      through(source, decoders[coding](), { limit, tooLarge, damaged, exact: true })
  }
}

export const layer: Layer.Layer<Compression> = Layer.sync(Compression, make)

// internal

/** The types of Node 20 know no Zstandard; workerd has it, though nothing says so. */
const zstandard = zlib as unknown as {
  readonly zstdCompressSync?: (bytes: Uint8Array) => Uint8Array
  readonly zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array
  readonly createZstdCompress?: () => ReturnType<typeof zlib.createGzip>
}

/** Zstandard only where a round trip proves it. */
const responseCodings = (): ReadonlyArray<ContentCoding> => {
  try {
    const probe = new Uint8Array(64).fill(7)
    const packed = zstandard.zstdCompressSync?.(probe)
    const back = packed === undefined ? undefined : zstandard.zstdDecompressSync?.(packed)
    const works =
      zstandard.createZstdCompress !== undefined &&
      back?.byteLength === probe.byteLength &&
      back.every((byte) => byte === 7)
    return works ? ["br", "zstd", "gzip", "deflate"] : ["br", "gzip", "deflate"]
  } catch {
    return ["br", "gzip", "deflate"]
  }
}

const encoders: { readonly [C in ContentCoding]: () => ReturnType<typeof zlib.createGzip> } = {
  gzip: () => zlib.createGzip({ level: Codecs.gzipLevel }),
  deflate: () => zlib.createDeflate({ level: Codecs.gzipLevel }),
  br: () => zlib.createBrotliCompress({ params: Codecs.brotliParams("inline") }),
  zstd: () => zstandard.createZstdCompress!()
}

const decoders: {
  readonly [C in Decodable]: () => ReturnType<typeof zlib.createGunzip>
} = {
  gzip: () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress()
}

const tooLarge = () => new CompressionError({ operation: "decompress", reason: "TooLarge" })

const damaged = (cause: unknown) => new CompressionError({ operation: "decompress", reason: "Damaged", cause })

const whatever = { limit: Number.POSITIVE_INFINITY, tooLarge, damaged, exact: false }
