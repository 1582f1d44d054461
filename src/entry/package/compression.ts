import * as Either from "effect/Either"
import * as CompressionZlib from "../../layers/compression/CompressionZlib.ts"
import type { ContentCoding } from "../../services/base/model/AcceptEncoding.ts"
import type {
  Compressed,
  CompressionCounts,
  CompressOptions,
  Decodable,
  StoredCoding
} from "../../services/compression/Compression.ts"

export type { Compressed, CompressionCounts, CompressOptions, ContentCoding, StoredCoding }

/** Makes bytes smaller, where that pays. Needs the compatibility flag `nodejs_compat`. */
export interface Compressing {
  /** At least 10 % smaller, or the bytes that were given, as `identity`. */
  readonly compress: (bytes: Readonly<Uint8Array>, options: CompressOptions) => Compressed
  /** Throws an error with the `reason` `Damaged`, `TooLarge` (more than `limit` bytes) or `Unsupported`. */
  readonly decompress: (bytes: Readonly<Uint8Array>, coding: StoredCoding, limit: number) => Readonly<Uint8Array>
  /** The codings that a response can have here, best first. */
  readonly codings: ReadonlyArray<ContentCoding>
  /** In constant memory, in one of `codings`. */
  readonly encodeStream: (source: ReadableStream<Uint8Array>, coding: ContentCoding) => ReadableStream<Uint8Array>
  /** In constant memory; errors over `limit` bytes. */
  readonly decodeStream: (
    source: ReadableStream<Uint8Array>,
    coding: Decodable,
    limit: number
  ) => ReadableStream<Uint8Array>
  /** By media type, since it was made. */
  readonly statistics: () => ReadonlyMap<string, CompressionCounts>
}

/**
 * @example
 * const { bytes, coding } = compression().compress(value, { contentType: "application/json", use: "inline" })
 */
export const compression = (): Compressing => {
  const { codings, compress, decodeStream, decompress, encodeStream, statistics } = CompressionZlib.make()
  return {
    codings,
    compress,
    decodeStream,
    decompress: (bytes, coding, limit) => Either.getOrThrowWith(decompress(bytes, coding, limit), (error) => error),
    encodeStream,
    statistics
  }
}
