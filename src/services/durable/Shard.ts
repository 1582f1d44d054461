import * as Context from "effect/Context"
import { hashOf } from "../base/model/Hash.ts"
import type { Conditions } from "../base/model/Preconditions.ts"
import { dayMillis } from "../base/model/UtcDay.ts"
import { compareStamps, type Entry, type Stamp, zeroStamp } from "../store/model/Entry.ts"
import type { Listed } from "./model/ShardListing.ts"
import type { Seal } from "./model/Topology.ts"

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
  /** A loader's fill: applied only while its lease holds, and then ordered by its arrival. */
  readonly lease?: number
  /** Of a fill: it is stored only if somebody else asks for the id, which is the object's to know. */
  readonly ifWanted?: true
  /** Judged when a first try arrives in time; a resend, or one too late, is left without effect. */
  readonly condition?: Conditions
  /** Whether the collection's entries share rows, see {@link ShardRow.packed}. Default: this one stays where it is. */
  readonly packed?: boolean
}

/**
 * What became of a write. `overtaken`: a later write, or the end of its lease, left it without effect. `ended`: it took
 * effect, and an invalidation that counts as later had ended it before it came. `unchanged`: what
 * it would put is there. A first try in time that finds its value confirms it and takes no version, so that an outside
 * write stamped between the row's version and this write still counts. A delete is unchanged only as a resend: over a
 * tombstone it takes a version, as it must keep out what was written outside before it. `unmet`: its condition did not hold.
 * `unwanted`: a fill that nobody else asks for; its lease held until now, so that nothing stands under the key.
 * `full`: there is no room for it, {@link maxShardBytes}; what is smaller than what it replaces, and deletes, are taken.
 */
export interface ShardWritten {
  readonly outcome: "applied" | "ended" | "unchanged" | "overtaken" | "unmet" | "unwanted" | "full"
  /** The version under the key now, of an entry or a tombstone; `zeroStamp` for neither. */
  readonly version: Stamp
  /** Whether a living entry stood under the key before. */
  readonly replaced: boolean
}

/** An entry that nobody asked for. */
export type Beside = { readonly id: string; readonly entry: Entry }

/** Entries and bytes are those kept, expired ones until they are swept. */
export interface ShardStats {
  readonly entries: number
  readonly tombstones: number
  readonly bytes: number
  /** Billed rows since the object was made, from SQLite's own cursors. */
  readonly rowsRead: number
  readonly rowsWritten: number
  /**
   * Reads that found a living entry, and all reads, since the object was made. All counts are saved with every turn of the
   * dirty flag and every 10,000 reads: an eviction takes what came after, of the billed rows too.
   */
  readonly hits: number
  readonly reads: number
  /** Resent, late or parked writes that met another writer's with a stamp closer than {@link clockSkewMillis}: either may be the later. */
  readonly conflicts: number
  /** Milliseconds since the epoch of the last snapshot. */
  readonly snapshotAt?: number
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
    /** Other living entries of the pages that the ids lie in: rows that are read anyway. */
    readonly beside: (ids: ReadonlyArray<string>, now: number) => ReadonlyArray<Beside>
    /**
     * Applies writes in order, each by {@link versionFor}; one row written per applied write, none if unchanged.
     *
     * @param floor what arrives gets a version above it. Default: none
     */
    readonly apply: (writes: ReadonlyArray<ShardWrite>, now: number, floor?: Stamp) => ReadonlyArray<ShardWritten>
    /**
     * Ends every entry that carries one of the tags and was applied before, and every write of an earlier stamp that is
     * yet to come from outside. Gives the mark it set: at least the stamp, and later than every version given before.
     * One row per tag.
     *
     * @param floor the mark is above it. Default: none
     */
    readonly invalidateTags: (tags: ReadonlyArray<string>, stamp: Stamp, now: number, floor?: Stamp) => Stamp
    /**
     * Takes a lease for loading an absent id, good before `until` and before the next write to the id, clear over it,
     * merge, restart, or invalidation of any tag; undefined when another lease holds, or an entry is there.
     */
    readonly lease: (id: string, until: number, now: number) => number | undefined
    readonly release: (id: string, lease: number) => void
    /**
     * Ids after `after` (exclusive) that begin with `prefix`, in UTF-8 byte order, with expiry and tags. Looks at 20 rows
     * for each that it may give and 1,000 more: where so many are over, the last that it gives says where to go on.
     */
    readonly list: (prefix: string, after: string | undefined, limit: number, now: number) => ReadonlyArray<Listed>
    /**
     * Ends every entry of a collection, `collection/`, as an invalidation does: one row, whatever it ends, also what was
     * written outside before it and is yet to come. Gives the mark.
     */
    readonly clear: (prefix: string, stamp: Stamp, now: number, floor?: Stamp) => Stamp
    /**
     * Drops expired and invalidated entries, and tombstones older than {@link tombstoneMillis}: at most `limit` rows, of
     * twenty times as many looked at. The next call goes on where this one stopped. A dropped entry leaves no version, so
     * that an outside write older than it that arrives later lives until its own expiry; but where the base of the
     * snapshots has an older one, a tombstone. No change in the sense of `dirty`.
     */
    readonly sweep: (limit: number, now: number) => ShardSwept
    /** Whether anything durable changed since the last snapshot; survives a restart. One row for each turn. */
    readonly dirty: () => boolean
    readonly source: ImageSource
    /** Takes rows and tag marks in wherever their version is the higher one. Returns how many rows it took. */
    readonly merge: (image: ShardImage, now: number) => number
    /**
     * Rows that still count, tombstones among them, after `after`, in UTF-8 byte order: of at most `limit` looked at, as
     * many as pass `bytes` of values with the last. `last`: the last id looked at; undefined when there is none.
     */
    readonly rowsAfter: (
      after: string,
      limit: number,
      bytes: number,
      now: number
    ) => { readonly rows: ReadonlyArray<ShardRow>; readonly last: string | undefined }
    readonly marks: () => ReadonlyMap<string, Stamp>
    /** Drops up to `limit` rows, whatever they are, and all marks behind the last; returns how many rows. */
    readonly drop: (limit: number) => number
    /** How far the handoff of its keys is; undefined where there is none. What may not be done meanwhile, the object refuses. */
    readonly seal: () => Seal | undefined
    /** One row. */
    readonly setSeal: (seal: Seal) => void
    /** A number that is drawn once for every disk. One row when it is first asked for. */
    readonly diskId: () => number
    /** The billed rows of `stats`, at the cost of none: asked after every call. */
    readonly billed: () => Pick<ShardStats, "rowsRead" | "rowsWritten">
    readonly stats: () => ShardStats
  }
>() {}

/** A row as a snapshot keeps it: an entry, or (`body` undefined) a tombstone with the moment of the delete. */
export interface ShardRow extends RowVersion {
  readonly id: string
  readonly body: Omit<Entry, "stamp"> | undefined
  /** Milliseconds since the epoch by the shard's clock; 0 for an entry. */
  readonly deletedAt: number
  /** Kept in a page, one billed row for many, unless it is too large for that. */
  readonly packed?: boolean
}

/** Rows and tag marks as they were at one moment; `mark` tells later changes from these. */
export interface CapturedImage extends ShardImage {
  readonly mark: number
}

/**
 * What the snapshots of a shard are made from. A base is taken page by page while the shard goes on changing: what
 * changes meanwhile has changed since the base, and is captured with the next snapshot over it.
 */
export interface ImageSource {
  /** What the last commit left to be remembered; survives a restart. */
  readonly saved: () => unknown
  /** Whether there is a base that changes can be told from; not after `drop`. */
  readonly tracked: () => boolean
  /** All that counts; undefined if ids and values come to more than so many bytes, or there are very many marks. */
  readonly whole: (bytes: number, now: number) => CapturedImage | undefined
  /**
   * All that changed since the base, or after an epoch that has ended; undefined if that comes to more than so many
   * bytes. Reads little else.
   */
  readonly changes: (bytes: number, after?: number) => CapturedImage | undefined
  /** A base is begun: the epoch that ends by it. One row. */
  readonly begin: () => number
  /** Rows that count after `after`, in UTF-8 byte order, as many as pass `bytes` with the last. `last`: as in `rowsAfter`. */
  readonly rowsAfter: (
    after: string,
    bytes: number,
    now: number
  ) => { readonly rows: ReadonlyArray<ShardRow>; readonly last: string | undefined }
  readonly marksAfter: (after: string | undefined, limit: number) => ReadonlyArray<readonly [string, Stamp]>
  /** Of all that changed since the base. */
  readonly changedIds: () => ReadonlyArray<{ readonly id: string; readonly bytes: number }>
  readonly changedMarks: () => ReadonlyMap<string, Stamp>
  /** Those of the rows that are there. */
  readonly read: (ids: ReadonlyArray<string>) => ReadonlyArray<ShardRow>
  /**
   * A snapshot of what was captured is safe: the shard is dirty only if it changed after the mark. A mark from before a
   * restart cleans nothing. With `base`, changes count from the end of that epoch: one of all rows, or of those that
   * had changed since the base before; `none`: there is no base any more. One row, and one with a base.
   */
  readonly commit: (
    mark: number,
    saved: unknown,
    base?: { readonly epoch: number; readonly isWhole: boolean } | "none"
  ) => void
}

/** `next`: milliseconds since the epoch when there may be more to drop: at once if the sweep has not come to its end. */
export interface ShardSwept {
  readonly dropped: number
  readonly next: number
}

export interface ShardImage {
  readonly rows: ReadonlyArray<ShardRow>
  readonly tags: ReadonlyMap<string, Stamp>
}

/** An object's SQLite takes 10 GB, and fails then whatever is asked: so much is left for deletes, marks and snapshots' notes. */
export const maxShardBytes = 9_500_000_000

/** Which of `count` shards keeps an id. */
export const shardOf = (id: string, count: number): number => hashOf(id) % count

/** A delete is remembered for 8 days: longer than any outside write (7 days) can take to arrive. */
export const tombstoneMillis = 8 * dayMillis

/**
 * Clocks of Cloudflare's machines are taken to differ by no more: of two writes closer than that, one of them not ordered
 * by its arrival, either may have won. An assumption, on the safe side; Cloudflare states no figure.
 */
export const clockSkewMillis = 1000

/** What a row remembers of its version: the version, and the stamps ahead of the shard's clock that it has taken in. */
export interface RowVersion {
  readonly version: Stamp
  /**
   * By writer, the highest stamp that was ahead when it was applied and is not below the version yet: a resend of it,
   * and whatever the same writer wrote before it, is known by it.
   */
  readonly ahead: ReadonlyArray<Stamp>
}

/** Whether a write is its writer's first try and came in time, so that its arrival orders it. */
export const isFirst = (write: Pick<ShardWrite, "firstUntil">, now: number): boolean =>
  write.firstUntil !== undefined && now <= write.firstUntil

/**
 * The version that a write gets over a row, or undefined when it is overtaken. A first try in time is ordered by its
 * arrival: its own stamp if that is the higher one, else the next above the row. A stamp ahead of the shard's clock and
 * of the floor counts as that clock, once. Everything else counts by its own stamp, so that a resend, a late or an
 * outside write, applied twice or out of order, changes nothing.
 *
 * @param floor the latest invalidation of one of the write's tags: what arrives after it gets a version above it
 */
export const versionFor = (
  write: Pick<ShardWrite, "stamp" | "firstUntil">,
  row: RowVersion | undefined,
  now: number,
  floor: Stamp = zeroStamp
): RowVersion | undefined => {
  const { stamp } = write
  const ahead = stamp.wall > now && compareStamps(stamp, floor) > 0
  const first = isFirst(write, now)
  const known = row?.ahead ?? []
  if (!first && row !== undefined && isPassed(stamp, row)) return undefined
  const own: Stamp = ahead ? { ...stamp, wall: now } : stamp
  const taken = (version: Stamp): RowVersion => ({
    version,
    ahead: stampsAhead(ahead ? [...known, stamp] : known, version)
  })
  if (first || ahead) {
    const below = row === undefined ? floor : later(row.version, floor)
    return taken(compareStamps(own, below) > 0 ? own : nextStamp(below, stamp.writer))
  }
  return taken(own)
}

/** Whether a row has taken a write of this stamp in, or one that counts more: its version may be ahead of the clock too. */
const isPassed = (stamp: Stamp, { ahead, version }: RowVersion): boolean =>
  compareStamps(stamp, version) <= 0 ||
  ahead.some((other) => other.writer === stamp.writer && compareStamps(stamp, other) <= 0)

/** The lowest stamp of a writer that is above another for certain. */
export const nextStamp = ({ counter, wall }: Stamp, writer: string): Stamp => ({ wall, counter: counter + 1, writer })

/** Of stamps that were taken in, those that a row of this version has to remember. */
export const stampsAhead = (stamps: ReadonlyArray<Stamp>, version: Stamp): ReadonlyArray<Stamp> => {
  const highest = new Map<string, Stamp>()
  for (const stamp of stamps) {
    const known = highest.get(stamp.writer)
    if (compareStamps(stamp, version) > 0) highest.set(stamp.writer, known === undefined ? stamp : later(known, stamp))
  }
  return [...highest.values()]
}

/** The higher of two stamps. */
export const later = (a: Stamp, b: Stamp): Stamp => (compareStamps(a, b) < 0 ? b : a)
