import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Either from "effect/Either"
import type { ContentCoding } from "../base/model/AcceptEncoding.ts"
import type { GzipBlockWriter } from "./model/GzipBlocks.ts"

/**
 * How stored bytes are encoded. `deflate+json1` is raw deflate with the first preset dictionary of
 * `model/JsonDictionary.ts`. Zstandard is never a stored format: workerd decodes the first of several frames and drops
 * the others without an error.
 */
export type StoredCoding = "identity" | "gzip" | "deflate" | "br" | "deflate+json1"

/**
 * - `Damaged`: cut short, changed, or followed by other bytes. `TooLarge`: more than the caller's limit once decoded.
 * - `Unsupported`: a coding that this Layer cannot decode.
 */
export class CompressionError extends Data.TaggedError("CompressionError")<{
  readonly operation: "decompress"
  readonly reason: "Damaged" | "TooLarge" | "Unsupported"
  readonly cause?: unknown
}> {
  override get message(): string {
    return `decompression failed: ${this.reason}`
  }
}

export interface CompressOptions {
  /** A media type, with or without parameters. What is compressed already is not tried. */
  readonly contentType: string
  /**
   * `inline`: while a request waits; gzip, or deflate with a dictionary for small JSON. `flush`: in the background,
   * where smaller is worth more time; brotli.
   */
  readonly use: "inline" | "flush"
  /** This coding instead of the one that the use implies. */
  readonly coding?: Exclude<StoredCoding, "identity">
  /** Bytes that saying the coding takes beside the value. Default 0. */
  readonly overhead?: number
}

export interface Compressed {
  readonly bytes: Readonly<Uint8Array>
  /** `identity` when compression was not tried, or saved under 10 %: then `bytes` are the ones given. */
  readonly coding: StoredCoding
}

/** What was compressed of one media type, since the isolate began. */
export interface CompressionCounts {
  /** Values given. */
  readonly values: number
  /** Of these, values that were compressed and became at least 10 % smaller. */
  readonly kept: number
  /** Of these, values that were not tried. */
  readonly skipped: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Milliseconds spent. Workers' clocks stand still while code runs, so it is 0 there. */
  readonly millis: number
}

export type Decodable = Exclude<StoredCoding, "identity" | "deflate+json1">

/** A gzip member with restart points under way, and what became of it. */
export interface BlockCompression {
  readonly writer: GzipBlockWriter
  /** Whether the member was kept, for the statistics; once, after its end or at any time before. */
  readonly settle: (kept: boolean) => void
}

/** Makes bytes smaller, where that pays. Synchronous: nothing here waits for anything. */
export class Compression extends Context.Tag("larder/Compression")<
  Compression,
  {
    /** Never returns more bytes than it was given. */
    readonly compress: (bytes: Readonly<Uint8Array>, options: CompressOptions) => Compressed
    /** The bytes that were compressed, at most `limit` of them. Several gzip members count as one value. */
    readonly decompress: (
      bytes: Readonly<Uint8Array>,
      coding: StoredCoding,
      limit: number
    ) => Either.Either<Readonly<Uint8Array>, CompressionError>
    /**
     * Begins a gzip member that can be decoded from its middle; undefined where the type says that it will not gain, or
     * where a probe of the beginning does. Whether what was written is worth keeping is for the caller to decide.
     */
    readonly blocks: (options: {
      readonly contentType: string
      readonly beginning: Uint8Array
      readonly blockBytes: number
    }) => BlockCompression | undefined
    /** The codings that a response can have here, best first. */
    readonly codings: ReadonlyArray<ContentCoding>
    /** Encodes a stream in constant memory, in one of {@link codings}. */
    readonly encodeStream: (source: ReadableStream<Uint8Array>, coding: ContentCoding) => ReadableStream<Uint8Array>
    /** Decodes a stream in constant memory. It errors with a {@link CompressionError}, also when over `limit` bytes. */
    readonly decodeStream: (
      source: ReadableStream<Uint8Array>,
      coding: Decodable,
      limit: number
    ) => ReadableStream<Uint8Array>
    readonly statistics: () => ReadonlyMap<string, CompressionCounts>
  }
>() {}
