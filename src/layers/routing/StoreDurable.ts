import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { DurableCache } from "../../services/durable/DurableCache.ts"
import { pageOf } from "../../services/durable/model/ShardListing.ts"
import { RecordedTopology, type RecordedTopologyService } from "../../services/durable/RecordedTopology.ts"
import type { ShardWrite } from "../../services/durable/Shard.ts"
import { limits } from "../../services/kv/Kv.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { longestAge, Settings } from "../../services/settings/Settings.ts"
import { Outbox } from "../../services/snapshots/Outbox.ts"
import { Snapshots } from "../../services/snapshots/Snapshots.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { compareStamps, type Stamp } from "../../services/store/model/Entry.ts"
import { Stamper } from "../../services/store/Stamper.ts"
import {
  type Change,
  changesBy,
  entryOf,
  Store,
  StoreError,
  type StoreResult,
  type Written
} from "../../services/store/Store.ts"
import { EdgeCache } from "../../services/tiers/EdgeCache.ts"
import { type Address, addressOf, type Lease, ReadPath } from "../../services/tiers/ReadPath.ts"
import { deadlineOf } from "../durable/guardedCalls.ts"
import { makeLogical } from "../store/logical.ts"
import { byKey, withCachedLists } from "./internal/cachedLists.ts"
import { makeFillAdmission } from "./internal/fillAdmission.ts"
import { cursorBehind, keyBehind } from "./internal/listPages.ts"
import { makeParkedDelivery } from "./internal/parkedDelivery.ts"
import { makeParkedWrites, type ParkedLimits } from "./internal/parkedWrites.ts"
import { makeSavedEntries } from "./internal/savedEntries.ts"
import { makeShardLoads } from "./internal/shardLoads.ts"
import { makeShardReads } from "./internal/shardReads.ts"
import { makeShardWrites, type Sent } from "./internal/shardWrites.ts"

/** Durable Objects as the store of record, behind memory, edge and single-flight; KV only in outages. */
export const make = ({
  durable,
  edge,
  ledger,
  outbox,
  readPath,
  recorded,
  remembered,
  settings,
  snapshots,
  stamper
}: {
  readonly durable: DurableCache["Type"]
  readonly outbox: Outbox["Type"]
  readonly snapshots: Snapshots["Type"]
  readonly readPath: ReadPath["Type"]
  readonly settings: Settings["Type"]
  readonly stamper: Stamper["Type"]
  readonly ledger: Ledger["Type"]
  readonly recorded: RecordedTopologyService | undefined
  readonly edge?: EdgeCache["Type"] | undefined
  /** What is remembered of parked writes beside the outbox. */
  readonly remembered?: ParkedLimits
}): Store["Type"] => {
  const { collections, kvDeadline } = settings
  const parked = makeParkedWrites(remembered)
  const saved = makeSavedEntries(snapshots, settings.shards, kvDeadline, recorded)
  const delivery = makeParkedDelivery(durable, outbox, parked, kvDeadline)
  let begun = 0
  let underWay = 0
  const reads = makeShardReads({
    durable,
    parked,
    delivery,
    saved,
    readPath,
    collections,
    quiet: () => (underWay === 0 ? begun : undefined)
  })

  const changing = <A, E>(change: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      begun += 1
      underWay += 1
      return Effect.ensuring(
        change,
        Effect.sync(() => (underWay -= 1))
      )
    })
  const writes = makeShardWrites({ durable, outbox, parked, delivery, deadline: deadlineOf(kvDeadline) })
  const loads = makeShardLoads({
    durable,
    writes,
    parked,
    readPath,
    settings,
    stamper,
    isAdmitted: makeFillAdmission(edge, settings)
  })

  const logical = makeLogical(ledger)

  const failed = (operation: StoreError["operation"]) => (cause: unknown) =>
    new StoreError({ operation, reason: "Unavailable", retryAfter: 5, cause })

  /** Whether memory holds what claims to be later, as a load does that began later and had no shard to ask. */
  const isHidden = (address: Address, version: Stamp, now: number): boolean => {
    const entry = readPath.known(address, now)?.entry
    return entry !== undefined && compareStamps(entry.stamp, version) > 0
  }

  /**
   * Sends writes and leaves in this isolate's tiers what they were acknowledged with, as old as the asking; nothing
   * where another write to the key ended meanwhile: the shard knows which of them came last.
   */
  const send = (going: ReadonlyArray<{ readonly address: Address; readonly write: ShardWrite }>) =>
    Effect.flatMap(Clock.currentTimeMillis, (readAt) => {
      const leases = going.map(({ address, write }) => readPath.lease(address, write.stamp))
      const sent = Effect.flatMap(writes.send(going.map(({ write }) => write)), (results) =>
        Effect.forEach(going, ({ address, write }, index) => {
          const result = results[index]!
          const isGone = result instanceof StoreError || result.outcome === "overtaken" || result.outcome === "ended"
          if (isGone || leases[index]!.overtaken([]) || isHidden(address, result.version, readAt)) {
            return Effect.as(readPath.drop(address), result)
          }
          const entry = write.body && { ...write.body, stamp: result.version }
          return Effect.as(readPath.remember(address, { entry, readAt }), result)
        })
      ).pipe(Effect.ensuring(Effect.sync(() => release(leases))))
      return changing(sent)
    })

  const going = (collection: Collection, change: Change, now: number): { address: Address; write: ShardWrite } => {
    const address = addressOf(collection, change.key)
    const given = stamper.next(now)
    const { condition, key: _, ...rest } = change
    const { packed = false } = collection.policy
    const write = { id: address.id, stamp: given, packed, ...(condition === undefined ? {} : { condition }) }
    if ("remove" in rest) return { address, write: { ...write, body: undefined } }
    const { stamp: __, ...body } = entryOf(collection, rest.value, rest, given, now)
    return { address, write: { ...write, body } }
  }

  const refused = (change: Change): StoreError | undefined =>
    !("remove" in change) && change.value.byteLength > Math.min(settings.maxValueBytes, limits.valueBytes)
      ? new StoreError({ operation: "set", reason: "TooLarge" })
      : undefined

  const writeMany: Store["Type"]["writeMany"] = (collection, changes) =>
    logical.changing(
      collection,
      changes,
      (last) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const sending = last.map((change) => going(collection, change, now))
          return Effect.map(send(sending), (results) =>
            results.map(
              (result, index): StoreResult<Written> =>
                result instanceof StoreError
                  ? { _tag: "Failed", error: result }
                  : { _tag: "Done", value: written(result, sending[index]!.write.body?.expiresAt ?? now) }
            )
          )
        }),
      refused
    )

  return {
    held: (collection, key, now) => {
      const found = readPath.held(addressOf(collection, key), now)
      if (found !== undefined) logical.asked("reads", collection, 1)
      return found
    },

    get: (collection, key) =>
      logical.on("reads", collection, [key], () => {
        const address = addressOf(collection, key)
        return readPath.read(address, { authority: reads.one(address), afresh: true })
      }),

    getMany: (collection, keys, maxBytes) =>
      logical.reading(collection, keys, (legal) =>
        readPath.readMany(
          legal.map((key) => addressOf(collection, key)),
          (missing) => reads.many(missing, maxBytes)
        )
      ),

    getOrLoad: (collection, key, load) =>
      logical.on("reads", collection, [key], () => {
        const address = addressOf(collection, key)
        let reached = true
        const authority = Effect.tapBoth(reads.one(address), {
          onFailure: () => Effect.sync(() => (reached = false)),
          onSuccess: ({ stale }) => Effect.sync(() => (reached = stale !== true))
        })
        return readPath.read(address, {
          authority,
          load: loads.leased(address, load, () => reached),
          afresh: true
        })
      }),

    ...changesBy(writeMany),

    list: (collection, { cursor, limit = limits.listKeys, prefix = "" }) =>
      logical.on("lists", collection, [], () => {
        const front = `${collection.name}/`
        const after = cursor === undefined ? undefined : keyBehind(cursor)
        if (cursor !== undefined && after === undefined) {
          return Effect.fail(new StoreError({ operation: "list", reason: "BadCursor" }))
        }
        return durable.list(front + prefix, after === undefined ? undefined : front + after, limit).pipe(
          Effect.mapBoth({
            onFailure: failed("list"),
            onSuccess: (listed) => {
              const { next, rows } = pageOf(listed, limit)
              const keys = rows.map(({ id, ...rest }) => ({ key: id.slice(front.length), ...rest }))
              return { keys, cursor: next === undefined ? undefined : cursorBehind(next.slice(front.length)) }
            }
          })
        )
      }),

    invalidateTags: (tags) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const stamp = stamper.next(now)
        return changing(durable.invalidateTags([...new Set(tags)], stamp)).pipe(
          Effect.mapBoth({
            onFailure: failed("invalidateTags"),
            onSuccess: (mark) => {
              readPath.invalidate(tags, mark)
              return { boundMillis: longestAge(settings) }
            }
          })
        )
      }),

    clear: (collection) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        changing(durable.clear(`${collection.name}/`, stamper.next(now)))
      ).pipe(
        Effect.mapBoth({ onFailure: failed("clear"), onSuccess: () => ({ complete: true }) }),
        Effect.ensuring(
          Effect.map(Clock.currentTimeMillis, (at) => {
            readPath.forget(collection, at)
          })
        )
      )
  }
}

const release = (leases: ReadonlyArray<Lease>): void => {
  for (const lease of leases) lease.release()
}

const written = ({ acknowledged, replaced, version }: Sent, expiresAt: number): Written => ({
  stamp: version,
  acknowledged,
  replaced,
  expiresAt
})

export const layer: Layer.Layer<
  Store,
  never,
  DurableCache | Outbox | Snapshots | ReadPath | Settings | Stamper | Ledger
> = Layer.effect(
  Store,
  Effect.gen(function* () {
    const [settings, ledger] = [yield* Settings, yield* Ledger]
    const edge = Option.getOrUndefined(yield* Effect.serviceOption(EdgeCache))
    const store = make({
      durable: yield* DurableCache,
      outbox: yield* Outbox,
      snapshots: yield* Snapshots,
      readPath: yield* ReadPath,
      settings,
      stamper: yield* Stamper,
      ledger,
      recorded: yield* RecordedTopology,
      edge
    })
    return withCachedLists(store, byKey, { settings, ledger, edge })
  })
)
