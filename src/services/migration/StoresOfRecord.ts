import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Entry, Stamp } from "../store/model/Entry.ts"
import type { ModeHeartbeat } from "./ModeHeartbeat.ts"
import type { Mode, RecordedMode } from "./RecordedMode.ts"

/**
 * - `Absent`: this Worker has one store only. `BadCursor`: not a cursor that a page gave, or one too old.
 * - `Unavailable`, `Overloaded`, `RateLimited`, `DailyLimit`: what the store's backend said.
 */
export class StoreOfRecordError extends Data.TaggedError("StoreOfRecordError")<{
  readonly operation: "open" | "adopt" | "page" | "read" | "write" | "remove" | "marks" | "agree"
  readonly reason: "Absent" | "BadCursor" | "Unavailable" | "Overloaded" | "RateLimited" | "DailyLimit"
  readonly cause?: unknown
}> {}

/** A version of an id (`collection/key`). */
export interface Versioned {
  readonly id: string
  readonly version: Stamp
}

/** All of an entry but its value. */
export interface Head extends Versioned {
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly expiresAt: number
  readonly tags: ReadonlyArray<string>
}

export interface HeadPage {
  readonly heads: ReadonlyArray<Head>
  /** Present while there is more; a page may be empty and still have one. */
  readonly cursor: string | undefined
}

type Answer<A> = Effect.Effect<A, StoreOfRecordError>

/** A store that can be read as a whole. Living means neither expired nor ended by one of its tags. */
export interface CopySource {
  /** Living entries, a page of at most `limit` at a time, in an order of the store's own. */
  readonly page: (cursor: string | undefined, limit: number) => Answer<HeadPage>
  /** The living entries of the leading ones, at least one, as many as memory should hold; the others to be asked again. */
  readonly read: (asked: ReadonlyArray<Versioned>) => Answer<ReadonlyArray<Entry | undefined>>
}

/** A store that takes in what another one holds. */
export interface Target extends Pick<CopySource, "page"> {
  /**
   * Takes entries in under their own versions, wherever that is the higher one. Whether each is settled, taken or
   * overtaken; false for one that the store refused.
   */
  readonly write: (
    entries: ReadonlyArray<{ readonly id: string; readonly entry: Entry }>
  ) => Answer<ReadonlyArray<boolean>>
  /** Deletes each entry whose version is still this one. */
  readonly remove: (gone: ReadonlyArray<Versioned>) => Answer<void>
}

/** One hand-over of an entry. */
export interface HandOver {
  /** The version up to which the store it went to was told of the entry. */
  readonly version: Stamp
  readonly to: Mode
  /** Milliseconds since the epoch. */
  readonly at: number
}

/**
 * The memory of what was handed over. A version that was handed over and is gone from one store was deleted there, if
 * that store was in force since; one above it was not handed over yet.
 */
export interface HandOvers {
  /** The last one of each id, in the order asked; undefined for none. */
  readonly agreed: (ids: ReadonlyArray<string>) => Answer<ReadonlyArray<HandOver | undefined>>
  /** Remembered until the version expires. */
  readonly agree: (heads: ReadonlyArray<Omit<Head, "tags">>, to: Mode) => Answer<void>
  readonly forget: (ids: ReadonlyArray<string>) => Answer<void>
}

export interface KvStoreOfRecord extends CopySource, Target {
  /** The last invalidation of those tags of what the heads tell that ever had one. */
  readonly marksOf: (heads: ReadonlyArray<Pick<Head, "tags" | "version">>) => Answer<ReadonlyMap<string, Stamp>>
  /** Sets marks wherever they are the higher ones. */
  readonly carry: (marks: ReadonlyMap<string, Stamp>) => Answer<void>
}

/** The durable store as its snapshots show it, when the objects themselves cannot be reached. */
export interface SnapshotStoreOfRecord extends CopySource, HandOvers {
  /** All tags that were invalidated within the last days, each with its last invalidation. */
  readonly marks: Answer<ReadonlyMap<string, Stamp>>
}

export interface DurableStoreOfRecord extends SnapshotStoreOfRecord, Target {
  readonly reachable: Effect.Effect<boolean>
  /** Takes in what had to be kept outside of the objects, and saves what has changed in them. */
  readonly settle: Answer<void>
}

/** Both stores for one run: what they have read of tags and snapshots they read once. */
export interface OpenStores {
  readonly kv: KvStoreOfRecord
  readonly durable: DurableStoreOfRecord
  readonly snapshot: SnapshotStoreOfRecord
}

/** The two stores of record as wholes, for the switch between them. Undefined where there are no objects. */
export class StoresOfRecord extends Context.Reference<StoresOfRecord>()("larder/StoresOfRecord", {
  defaultValue: (): StoresOfRecordService | undefined => undefined
}) {}

export interface StoresOfRecordService {
  readonly open: Effect.Effect<OpenStores>
  readonly recorded: RecordedMode["Type"]
  readonly heartbeat: ModeHeartbeat["Type"]
}
