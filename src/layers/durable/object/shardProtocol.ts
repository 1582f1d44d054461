import type { DurableCacheError, Leased, SavedGeneration } from "../../../services/durable/DurableCache.ts"
import type { Listed } from "../../../services/durable/model/ShardListing.ts"
import * as Topology from "../../../services/durable/model/Topology.ts"
import type { ReshardState, ReshardStep } from "../../../services/durable/Resharding.ts"
import type { Beside, ShardImage, ShardStats, ShardWrite, ShardWritten } from "../../../services/durable/Shard.ts"
import type { KvCounts, Ledger } from "../../../services/ledger/Ledger.ts"
import type { KvKind } from "../../../services/ledger/model/KvKind.ts"
import type { Entry, Stamp } from "../../../services/store/model/Entry.ts"

/** What a shard's object can be asked, one RPC each. Arguments and answers are structured-cloneable. */
export interface ShardProtocol {
  /**
   * The living entries of the leading ids, in order; those that one reply cannot carry are to be asked for again. When it
   * carries all, entries of `along` follow, up to {@link alongBytes}.
   *
   * @param bytes that the reply may have: it may carry none, and says how many the first takes that it left out. Without
   *   it, it ends with the entry that passes {@link replyBytes}.
   * @param beside whether what lies in one page with them is to come along, up to {@link alongBytes}
   */
  readonly getMany: (
    ids: ReadonlyArray<string>,
    along?: ReadonlyArray<string>,
    bytes?: number,
    beside?: boolean
  ) => ReadonlyArray<Entry | undefined>
  readonly apply: (writes: ReadonlyArray<ShardWrite>) => ReadonlyArray<ShardWritten>
  readonly invalidateTags: (tags: ReadonlyArray<string>, stamp: Stamp) => Stamp
  /** @param patience milliseconds */
  readonly lease: (id: string, patience: number) => Leased
  readonly release: (id: string, lease: number) => void
  readonly list: (prefix: string, after: string | undefined, limit: number) => ReadonlyArray<Listed>
  readonly clear: (prefix: string, stamp: Stamp) => Stamp
  readonly stats: () => ShardStats
  /** Whether a snapshot was written. */
  readonly flush: () => boolean
  /** How many rows were taken in. */
  readonly restore: (saved?: SavedGeneration) => number
  /**
   * Takes rows and tag marks over from an object of the generation before, by version; gives its own `life`.
   *
   * @param shards the objects of its own generation
   */
  readonly receive: (image: ShardImage, shards: number) => number
  readonly reshard: (step: ReshardStep) => ReshardState
}

export type ShardMethod = keyof ShardProtocol
export type Arguments<M extends ShardMethod> = Parameters<ShardProtocol[M]>
export type Answer<M extends ShardMethod> = ReturnType<ShardProtocol[M]>

/** What an object has cost since its last reply, its alarms included, the RPC itself not. */
export interface Billed {
  readonly requests: number
  /** KV operations of its own: billed keys and calls, under {@link snapshotNamespace}. */
  readonly kv?: { readonly billed: KvCounts; readonly calls: KvCounts }
  readonly rowsRead: number
  readonly rowsWritten: number
  /** Wall-clock milliseconds for which its alarms have worked. Default 0. */
  readonly millis?: number
}

/**
 * An RPC never throws: what went wrong inside the object travels as text. One that gives its keys away says how far it
 * is: `Moved` when the call concerned an id that it has not any more, `Moving` when it was a write to one that it will
 * give away. `Recovering`: its disk is new, and what it held before could not be read yet, so that it cannot tell what is
 * absent; it takes writes and invalidations. In all three cases nothing was done.
 */
export type ShardReply<A> =
  | {
      readonly _tag: "Answered"
      readonly billed: Billed
      readonly answer: A
      /** Bytes of the first entry that the reply had no room for. */
      readonly next?: number
      /** Entries that lie in one page with those asked for. */
      readonly beside?: ReadonlyArray<Beside>
      readonly departure?: Topology.Departure
    }
  | { readonly _tag: "Moved" | "Moving"; readonly billed: Billed; readonly departure: Topology.Departure }
  | { readonly _tag: "Recovering"; readonly billed: Billed }
  | { readonly _tag: "Failed"; readonly billed: Billed; readonly failure: string }

/** The object of one shard of the first generation as its callers name it. */
export const shardObjectName = (shard: number): string => Topology.objectName({ generation: 0, shard })

/** Generations that a name is looked for in; each reshard makes one. */
const mostGenerations = 256

/** Which object has this id; it is not told itself. Every name costs some microseconds to try; undefined for none. */
export const placeIn = <Id extends { readonly equals: (other: Id) => boolean }>(
  namespace: { readonly idFromName: (name: string) => Id },
  id: Id
): Topology.ObjectPlace | undefined => {
  for (let generation = 0; generation < mostGenerations; generation++) {
    const places = Topology.placesOf({ generation, shards: Topology.mostShards })
    const place = places.find((place) => id.equals(namespace.idFromName(Topology.objectName(place))))
    if (place !== undefined) return place
  }
  return undefined
}

/** The binding that holds snapshots and outbox, and the collection that Larder's own keys are counted under. */
export const snapshotNamespace = "CACHE_DO_KV"
const ownCollection = "~"

const kinds: ReadonlyArray<KvKind> = ["reads", "writes", "deletes", "lists"]

/**
 * Counts one RPC, and what its reply, if there was one, says that the object has cost.
 *
 * @param millis for which the object worked, as far as its caller saw it
 */
export const recordRpc = (ledger: Ledger["Type"], billed: Billed | undefined, millis = 0): void => {
  ledger.record({
    tier: "durableObject",
    requests: 1 + (billed?.requests ?? 0),
    rowsRead: billed?.rowsRead ?? 0,
    rowsWritten: billed?.rowsWritten ?? 0,
    millis: millis + (billed?.millis ?? 0)
  })
  if (billed?.kv === undefined) return
  for (const kind of kinds) {
    const count = { billed: billed.kv.billed[kind], calls: billed.kv.calls[kind] }
    if (count.calls > 0) {
      ledger.record({ tier: "kv", namespace: snapshotNamespace, collection: ownCollection, kind, ...count })
    }
  }
}

export const operationOf: { readonly [M in ShardMethod]: DurableCacheError["operation"] } = {
  getMany: "get",
  apply: "apply",
  invalidateTags: "invalidateTags",
  lease: "lease",
  release: "lease",
  list: "list",
  clear: "clear",
  stats: "stats",
  flush: "operate",
  restore: "operate",
  receive: "operate",
  reshard: "operate"
}

/** An RPC carries 32 MiB; a value has 25 MiB at most, so that a batch ends before the one that would pass this. */
export const batchBytes = 16 * 1024 * 1024

/** A reply ends with the entry that passes this: with that one it is still below 32 MiB. */
export const replyBytes = 4 * 1024 * 1024

/** What one reply carries of entries that nobody asked for yet. */
export const alongBytes = 64 * 1024

/** Bytes that an entry takes on the wire, near enough. */
export const wireBytes = (id: string, body: Omit<Entry, "stamp"> | undefined): number =>
  256 +
  2 * id.length +
  (body === undefined
    ? 0
    : body.value.byteLength + 2 * body.contentType.length + body.tags.reduce((sum, tag) => sum + 2 * tag.length + 8, 0))

/** The body with bytes of its own: structured clone copies the whole buffer behind a view. */
export const detached = <B extends Omit<Entry, "stamp">>(body: B): B =>
  body.value.byteLength === body.value.buffer.byteLength ? body : { ...body, value: new Uint8Array(body.value) }
