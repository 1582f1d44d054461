import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { ByteRange, Slice } from "./model/ByteRange.ts"

export type ObjectOperation =
  | "open"
  | "read"
  | "head"
  | "put"
  | "delete"
  | "list"
  | "copy"
  | "createUpload"
  | "uploadPart"
  | "completeUpload"
  | "abortUpload"

/**
 * - `BadKey`: empty, or over {@link limits}`.keyBytes`. `TooLarge`: more than the limit given, or than the store takes.
 * - `ConditionFailed`: the object is not the one that the condition names.
 * - `IncompleteBody`: the body ended early or late, or its sender failed. Nothing is stored.
 * - `Changed`: the object was replaced between `open` and `read`; open it again.
 * - `NoSuchUpload`: unknown, completed or aborted. `BadPart`: a part that is missing, or has not the size it must have.
 * - `RateLimited`: more than one write a second to one key. `Unavailable`: the store itself failed. `NotBound`: this
 *   Worker has no bucket.
 */
export type ObjectReason =
  | "BadKey"
  | "TooLarge"
  | "ConditionFailed"
  | "IncompleteBody"
  | "Changed"
  | "NoSuchUpload"
  | "BadPart"
  | "RateLimited"
  | "Unavailable"
  | "NotBound"

export class ObjectStoreError extends Data.TaggedError("ObjectStoreError")<{
  readonly operation: ObjectOperation
  readonly reason: ObjectReason
  /** Seconds after which the same may succeed. */
  readonly retryAfter?: number
  readonly cause?: unknown
}> {
  override get message(): string {
    return `object ${this.operation} failed: ${this.reason}${this.cause instanceof Error ? ` (${this.cause.message})` : ""}`
  }
}

export interface ObjectInfo {
  readonly key: string
  /** Bytes of the content. */
  readonly bytes: number
  /** Bytes that are stored, and billed. */
  readonly storedBytes: number
  /** `gzip`: stored as one ordinary gzip member, which a presigned link hands out as it is. */
  readonly coding: "identity" | "gzip"
  /** Changes with every change of the content; without quotes. */
  readonly etag: string
  /** Milliseconds since the epoch. */
  readonly uploadedAt: number
  readonly contentType: string
  readonly metadata: { readonly [name: string]: string }
}

/** `any`: whatever object; `none`: no object; otherwise the object with one of these tags, without quotes. */
export type WriteCondition = { readonly match: "any" | "none" | ReadonlyArray<string> }

export interface ObjectOptions {
  readonly contentType: string
  /** Names in lower case, at most 2,048 bytes in all. */
  readonly metadata?: { readonly [name: string]: string }
}

export interface PutOptions extends ObjectOptions {
  /** Bytes of a stream, where they are known: a long one is then stored by one operation, or compressed. */
  readonly length?: number
  /** Bytes that are taken at most. */
  readonly limit: number
  readonly condition?: WriteCondition
}

/** An object as it was when it was opened. */
export interface OpenObject {
  readonly info: ObjectInfo
  /** A part of the content, or of the bytes as stored. At most once. */
  readonly read: (
    coding: "identity" | "gzip",
    slice: Slice
  ) => Effect.Effect<ReadableStream<Uint8Array>, ObjectStoreError>
  /** For a caller that does not read it. */
  readonly close: Effect.Effect<void>
}

export interface UploadedPart {
  readonly partNumber: number
  readonly etag: string
}

/** Objects of up to 5 GiB, compressed where that saves a tenth, without anyone noticing but by their size. */
export class ObjectStore extends Context.Tag("larder/ObjectStore")<
  ObjectStore,
  {
    /**
     * One R2 class B operation; for a part of a compressed object that this isolate has not read lately, another one, and
     * one each where the part begins behind the stored size and where its index lies beside it.
     *
     * @param expected the part that will be read, so that it comes along with the first operation
     */
    readonly open: (key: string, expected?: ByteRange) => Effect.Effect<Option.Option<OpenObject>, ObjectStoreError>
    /** One class B operation. */
    readonly head: (key: string) => Effect.Effect<Option.Option<ObjectInfo>, ObjectStoreError>
    /**
     * All of it or nothing. One class A operation, but for long compressed content, which takes one for each 8 MiB and
     * three more. A condition is atomic with the former; with the latter it is checked before the last operation.
     */
    readonly put: (
      key: string,
      body: Uint8Array | ReadableStream<Uint8Array>,
      options: PutOptions
    ) => Effect.Effect<ObjectInfo, ObjectStoreError>
    /** Free of charge. Absent keys are no error. At most 500 keys. */
    readonly delete: (keys: ReadonlyArray<string>) => Effect.Effect<void, ObjectStoreError>
    /** One class A operation a page. Keys in UTF-8 byte order; `limit` 1 to 1,000. */
    readonly list: (options?: {
      readonly prefix?: string
      readonly cursor?: string
      readonly limit?: number
    }) => Effect.Effect<
      { readonly objects: ReadonlyArray<ObjectInfo>; readonly cursor: string | undefined },
      ObjectStoreError
    >
    /** False when there is no such object. */
    readonly copy: (from: string, to: string) => Effect.Effect<boolean, ObjectStoreError>
    /** The identifier of an upload by parts, stored as they are. */
    readonly createUpload: (key: string, options: ObjectOptions) => Effect.Effect<string, ObjectStoreError>
    /** Every part has {@link limits}`.partBytes`, but the last. The same number again replaces the part. */
    readonly uploadPart: (
      key: string,
      uploadId: string,
      partNumber: number,
      body: Uint8Array
    ) => Effect.Effect<UploadedPart, ObjectStoreError>
    readonly completeUpload: (
      key: string,
      uploadId: string,
      parts: ReadonlyArray<UploadedPart>
    ) => Effect.Effect<ObjectInfo, ObjectStoreError>
    /** Removes what was uploaded. An unknown upload is no error. */
    readonly abortUpload: (key: string, uploadId: string) => Effect.Effect<void, ObjectStoreError>
  }
>() {}

/** R2's limits (r2/platform/limits), and ours below them. */
export const limits = {
  /** R2 takes 1,024 bytes, of which `data/` is one part. */
  keyBytes: 1000,
  metadataBytes: 2048,
  objectBytes: 5 * 1024 ** 3,
  /** Of an upload by parts; and what a put holds in memory before it decides how to store the rest. */
  partBytes: 8 * 1024 * 1024,
  deleteKeys: 500,
  listKeys: 1000
} as const
