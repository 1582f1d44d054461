import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/**
 * - `OverBytes`, `OverObjects`, `OverRequests`: beyond the owner's quota.
 * - `NotBound`: this Worker has no database. `NotMigrated`: the database lacks its tables. `Unavailable`: it failed.
 */
export type CatalogReason = "OverBytes" | "OverObjects" | "OverRequests" | "NotBound" | "NotMigrated" | "Unavailable"

export class FileCatalogError extends Data.TaggedError("FileCatalogError")<{
  readonly operation: string
  readonly reason: CatalogReason
  readonly cause?: unknown
}> {
  override get message(): string {
    return `file catalogue ${this.operation} failed: ${this.reason}`
  }
}

export interface FileRow {
  readonly key: string
  /** Bytes of content; quotas count these. */
  readonly bytes: number
  readonly storedBytes: number
  readonly contentType: string
  readonly etag: string
  /** Milliseconds since the epoch. */
  readonly updatedAt: number
  readonly expiresAt: number | undefined
}

export type ReservationKind = "put" | "parts" | "link"

export interface Reservation {
  readonly id: string
  readonly owner: string
  readonly key: string
  readonly kind: ReservationKind
  readonly bytes: number
  readonly contentType: string
  readonly uploadId: string | undefined
  readonly fileExpiresAt: number | undefined
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** When what was reserved counts no longer. */
  readonly expiresAt: number
}

export interface Part {
  readonly part: number
  readonly bytes: number
  readonly etag: string
}

export interface Quota {
  readonly maxBytes: number
  readonly maxObjects: number
  /** A UTC day. */
  readonly maxRequests: number
}

/**
 * What each owner has, and has reserved. A file counts from its reservation on, so no number of requests at once takes
 * more than the quota; an isolate that dies between reservation and settlement holds it until it expires.
 */
export class FileCatalog extends Context.Tag("larder/FileCatalog")<
  FileCatalog,
  {
    /** Bytes of the owner's quota that are neither used nor reserved; may be below 0. */
    readonly bytesLeft: (owner: string, quota: Quota, now: number) => Effect.Effect<number, FileCatalogError>
    /** All of them or none. What a file replaces does not count twice. An id that is known is extended. */
    readonly reserve: (
      reservations: ReadonlyArray<Reservation>,
      quota: Quota,
      now: number
    ) => Effect.Effect<void, FileCatalogError>
    /**
     * Records what became of a reservation; true when it replaced a file. The later of two files under one key counts,
     * whichever is settled first.
     */
    readonly settle: (reservation: Reservation, file: FileRow, now: number) => Effect.Effect<boolean, FileCatalogError>
    readonly release: (id: string) => Effect.Effect<void, FileCatalogError>
    readonly reservation: (owner: string, id: string) => Effect.Effect<Option.Option<Reservation>, FileCatalogError>
    readonly setUploadId: (id: string, uploadId: string) => Effect.Effect<void, FileCatalogError>
    /** Links to put with, of one owner, that no file is known of: the longest lived first. */
    readonly linksOf: (owner: string, limit: number) => Effect.Effect<ReadonlyArray<Reservation>, FileCatalogError>
    readonly parts: (id: string) => Effect.Effect<ReadonlyArray<Part>, FileCatalogError>
    readonly setPart: (id: string, part: Part) => Effect.Effect<void, FileCatalogError>
    readonly remove: (
      owner: string,
      key: string,
      action: "delete" | "expire",
      now: number
    ) => Effect.Effect<void, FileCatalogError>
    /** Keys in UTF-8 byte order, behind `after`; expired files are left out. */
    readonly list: (
      owner: string,
      options: { readonly prefix: string; readonly after: string | undefined; readonly limit: number },
      now: number
    ) => Effect.Effect<ReadonlyArray<FileRow>, FileCatalogError>
    /** Files that have expired, of any owner. */
    readonly expired: (
      now: number,
      limit: number
    ) => Effect.Effect<ReadonlyArray<{ readonly owner: string; readonly key: string }>, FileCatalogError>
    /** Reservations that have expired, of any owner. */
    readonly abandoned: (now: number, limit: number) => Effect.Effect<ReadonlyArray<Reservation>, FileCatalogError>
  }
>() {}
