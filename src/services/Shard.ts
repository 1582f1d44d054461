import * as Context from "effect/Context"
import { compareStamps, type Entry, type Stamp } from "./Entry.ts"

/** One write on its way to its shard. */
export interface ShardWrite {
  /** `collection/key`. */
  readonly id: string
  /** Given once by the writer; every route and every resend carries the same one. */
  readonly stamp: Stamp
  /** The entry without its version; undefined for a delete. */
  readonly body: Omit<Entry, "stamp"> | undefined
  /**
   * Milliseconds by the shard's clock until which this, being its writer's first try, is ordered by its arrival.
   * Without it (a resend, an outside write), or after it, the write counts only if its own stamp is the higher one.
   */
  readonly firstUntil?: number
  /** A loader's fill: applied only while its lease holds. */
  readonly lease?: number
}

/** What became of a write. `overtaken`: a later write, or the end of its lease, left it without effect. */
export interface ShardWritten {
  readonly outcome: "applied" | "unchanged" | "overtaken"
  /** The version under the key now; for an entry or a tombstone. */
  readonly version: Stamp
  /** Whether a living entry stood under the key before. */
  readonly replaced: boolean
}

export interface ShardStats {
  readonly entries: number
  readonly tombstones: number
  readonly bytes: number
  /** Billed rows since the object was made, from SQLite's own cursors. */
  readonly rowsRead: number
  readonly rowsWritten: number
  /** Reads that found a living entry, and all reads, since the object was made. */
  readonly hits: number
  readonly reads: number
}

/**
 * The part of the key space that one Durable Object keeps. Synchronous, as SQLite in an object is; `now` is the
 * shard's clock in milliseconds since the epoch. Durable when the member returns (the object's output gate holds its
 * replies until then).
 */
export class Shard extends Context.Tag("larder/Shard")<
  Shard,
  {
    /** The living entries, in the order asked; `stamp` is the version. */
    readonly getMany: (ids: ReadonlyArray<string>, now: number) => ReadonlyArray<Entry | undefined>
    /** Applies writes in order, each by {@link versionFor}; one row written per applied write, none if unchanged. */
    readonly apply: (writes: ReadonlyArray<ShardWrite>, now: number) => ReadonlyArray<ShardWritten>
    /** Ends every entry that carries one of the tags and is older than the stamp. One row per tag. */
    readonly invalidateTags: (tags: ReadonlyArray<string>, stamp: Stamp, now: number) => void
    /**
     * Takes a lease for loading an absent id, good until `until` or the next write to the id or invalidation of any
     * tag; undefined when another lease holds, or an entry is there.
     */
    readonly lease: (id: string, until: number, now: number) => number | undefined
    readonly release: (id: string, lease: number) => void
    /** Ids after `after` (exclusive) that begin with `prefix`, in UTF-8 byte order, with expiry and tags. */
    readonly list: (
      prefix: string,
      after: string | undefined,
      limit: number,
      now: number
    ) => ReadonlyArray<{ readonly id: string; readonly expiresAt: number; readonly tags: ReadonlyArray<string> }>
    /** Deletes up to `limit` living entries whose id begins with the prefix; returns how many there were. */
    readonly clear: (prefix: string, stamp: Stamp, limit: number, now: number) => number
    /** Drops expired entries, and tombstones older than {@link tombstoneMillis}; at most `limit` rows. Returns how many. */
    readonly sweep: (limit: number, now: number) => number
    readonly stats: () => ShardStats
  }
>() {}

/** A delete is remembered for 8 days: longer than any outside write (7 days) can take to arrive. */
export const tombstoneMillis = 8 * 86_400_000

/** What a row remembers of its version: the version, and the stamps ahead of the shard's clock that it has taken in. */
export interface RowVersion {
  readonly version: Stamp
  /** Stamps that were ahead when they were applied, and are not below the version yet: a resend of one is known by it. */
  readonly ahead: ReadonlyArray<Stamp>
}

/**
 * The version that a write gets over a row, or undefined when it is overtaken. A stamp ahead of the shard's clock counts
 * as that clock. A first try in time is ordered by its arrival: at least one above the row. Everything else counts by
 * its own stamp, so that a resend, a late or an outside write, applied twice or out of order, changes nothing.
 */
export const versionFor = (
  write: Pick<ShardWrite, "stamp" | "firstUntil">,
  row: RowVersion | undefined,
  now: number
): RowVersion | undefined => {
  const { stamp } = write
  const ahead = stamp.wall > now
  const own: Stamp = ahead ? { ...stamp, wall: now, counter: stamp.counter } : stamp
  const known = row?.ahead ?? []
  const taken = (version: Stamp): RowVersion => ({
    version,
    ahead: [...known, ...(ahead ? [stamp] : [])].filter((other) => compareStamps(other, version) > 0)
  })
  if (row === undefined) return taken(own)
  const first = write.firstUntil !== undefined && now <= write.firstUntil
  if (!first && known.some((other) => compareStamps(other, stamp) === 0)) return undefined
  if (compareStamps(own, row.version) > 0) return taken(own)
  if (!first || compareStamps(stamp, row.version) === 0) return undefined
  return taken({ wall: row.version.wall, counter: row.version.counter + 1, writer: stamp.writer })
}
