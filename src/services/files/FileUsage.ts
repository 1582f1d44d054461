import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { FileCatalogError, Quota } from "./FileCatalog.ts"

export interface UsageCounts {
  readonly requests: number
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface UsageReport {
  /** Bytes of content, and of files, that count against the quota. */
  readonly bytes: number
  readonly storedBytes: number
  readonly objects: number
  readonly reservedBytes: number
  readonly quota: Quota
  /** Requests of this UTC day that were taken from the quota, in blocks. */
  readonly requestsToday: number
  /** By hour, newest first. */
  readonly hours: ReadonlyArray<UsageCounts & { readonly hour: number }>
}

export interface AuditRow {
  readonly at: number
  readonly action: string
  readonly key: string
  readonly bytes: number | undefined
}

/** Who uses how much, and who changed what. */
export class FileUsage extends Context.Tag("larder/FileUsage")<
  FileUsage,
  {
    /**
     * Takes a request from the owner's quota of the day. An isolate takes a block of them at a time, so that most
     * requests cost no row; what an isolate that ends has left over is lost to the owner for the day.
     */
    readonly takeRequest: (owner: string, quota: Quota, now: number) => Effect.Effect<void, FileCatalogError>
    /** Counted in memory, and written with the next block: what an isolate that ends has not written is lost. */
    readonly count: (owner: string, bytesIn: number, bytesOut: number) => void
    readonly record: (owner: string, row: AuditRow) => Effect.Effect<void, FileCatalogError>
    readonly report: (owner: string, quota: Quota, now: number) => Effect.Effect<UsageReport, FileCatalogError>
    /** Newest first. */
    readonly audit: (owner: string, limit: number) => Effect.Effect<ReadonlyArray<AuditRow>, FileCatalogError>
  }
>() {}
