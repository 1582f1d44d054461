import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { KeyAlias } from "../../services/aliasing/KeyAlias.ts"
import { Batcher, type BatcherStats } from "../../services/batching/Batcher.ts"
import { DurableCache } from "../../services/durable/DurableCache.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { Prefetch } from "../../services/prefetch/Prefetch.ts"
import { Repository } from "../../services/repository/Repository.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { namedTags } from "../../services/store/model/Tags.ts"
import { Store } from "../../services/store/Store.ts"
import { MemoryTier } from "../../services/tiers/MemoryTier.ts"
import { ReadPath } from "../../services/tiers/ReadPath.ts"
import { larder } from "../http/apiLarder.ts"
import { Caller, missing } from "../http/authorize.ts"
import { cursorFrom, ownCursor } from "../http/cursor.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import { parseKeeping } from "../http/jsonText.ts"
import { type Problem, problem, refusing } from "../http/problem.ts"
import { Batch as BatchPayload, cache } from "./apiCache.ts"
import { closedTo, tagsFor } from "./applicationData.ts"
import * as Batch from "./batch.ts"
import { noSuchCollection } from "./entries.ts"

const seconds = (duration: Duration.Duration): number | "forever" =>
  Duration.isFinite(duration) ? Duration.toSeconds(duration) : "forever"

const describe = ({ application, name, policy }: Collection) => ({
  name,
  ...(application === undefined ? {} : { application }),
  policy: {
    ttlSeconds: seconds(policy.ttl),
    memorySeconds: seconds(policy.memoryTtl),
    edgeSeconds: seconds(policy.edgeTtl),
    staleSeconds: seconds(policy.staleFor),
    graceSeconds: seconds(policy.graceFor),
    negativeSeconds: seconds(policy.negativeTtl),
    flushSeconds: seconds(policy.flushEvery),
    jitter: policy.jitter,
    write: policy.write,
    packed: policy.packed ?? false,
    compress: policy.compress,
    adaptTtl: policy.adaptTtl,
    undecodable: policy.undecodable,
    fills: policy.fills,
    tags: policy.tags,
    alias: policy.alias
  }
})

const batching = ({ byCollection, reads, writes }: BatcherStats, now: number) => ({
  batches: { reads, writes },
  buffers: Object.fromEntries(
    [...byCollection].map(([name, { buffered, bytes, oldestAt, writtenAt }]) => [
      name,
      {
        pendingWrites: buffered,
        pendingBytes: bytes,
        oldestSeconds: oldestAt === undefined ? null : (now - oldestAt) / 1000,
        secondsSinceKvWrite: writtenAt === undefined ? null : (now - writtenAt) / 1000
      }
    ])
  )
})

const decodeBatch = Schema.decodeUnknown(BatchPayload)

/** HttpApi would parse the values of a batch, and JavaScript's numbers do not hold all of JSON's. */
const batchFrom = (text: string) =>
  Effect.try({
    try: () => parseKeeping(text, "set", "value"),
    catch: () => problem("bad-json", "the body is not JSON in UTF-8")
  }).pipe(Effect.flatMap((json) => Effect.mapError(decodeBatch(json), Handlers.misfitsOf)))

export const layer = Handlers.group(larder.add(cache), "cache", (handlers) =>
  Effect.gen(function* () {
    const store = yield* Store
    const durable = yield* DurableCache
    const repository = yield* Repository
    const settings = yield* Settings
    const ledger = yield* Ledger
    const memory = yield* MemoryTier
    const alias = yield* KeyAlias
    const readPath = yield* ReadPath
    const prefetch = yield* Prefetch
    const batcher = yield* Batcher

    const shards = Effect.suspend(() =>
      settings.durableMode && durable.enabled
        ? Effect.map(durable.stats, ({ missing, shards }) =>
            missing.length === 0 ? { shards } : { shards, missingShards: missing }
          )
        : Effect.succeed({})
    )

    const collectionOf = (name: string, changes: boolean): Effect.Effect<Collection, Problem> =>
      Effect.flatMap(Caller, (caller) => {
        const collection = settings.collections.get(name)
        if (collection === undefined) return Effect.fail(noSuchCollection(name))
        return closedTo(collection, caller, changes) ?? Effect.succeed(collection)
      })

    return handlers
      .handle("stats", () =>
        Effect.map(Effect.zip(Clock.currentTimeMillis, shards), ([now, shards]) => ({
          readPath: readPath.stats(),
          memory: memory.stats(),
          prefetch: prefetch.stats(),
          aliases: alias.stats(),
          ...batching(batcher.stats(), now),
          ...store.stats?.(),
          ...shards,
          repository: repository.stats(),
          byCollection: ledger.report().byCollection
        }))
      )
      .handle("metadata", () =>
        Effect.sync(() => ({
          collections: [...settings.collections.values()].map(describe),
          limits: {
            valueBytes: settings.maxValueBytes,
            batchKeys: settings.maxBatchKeys,
            clearKeys: settings.clearKeys
          }
        }))
      )
      .handle("invalidate", ({ payload: { tags } }) =>
        Effect.map(
          Effect.flatMap(Caller, (caller) =>
            refusing(store.invalidateTags(tagsFor(tags, settings.collections.values(), caller)))
          ),
          ({ boundMillis }) => ({
            tags,
            boundSeconds: Number.isFinite(boundMillis) ? Math.ceil(boundMillis / 1000) : null
          })
        )
      )
      .handleRaw("batch", ({ path, request }) =>
        Effect.gen(function* () {
          const payload = yield* Effect.flatMap(
            Effect.promise(() => request.text()),
            batchFrom
          )
          const collection = yield* collectionOf(path.collection, Batch.changesSomething(payload))
          const keys = Batch.keysOf(payload)
          if (keys > settings.maxBatchKeys) {
            return yield* problem(
              "too-many-keys",
              `a batch names at most ${settings.maxBatchKeys} keys, and this ${keys}`
            )
          }
          const refused = Batch.changesSomething(payload) ? missing(yield* Caller, "write", collection.name) : undefined
          if (refused !== undefined) return yield* refused
          const reply = yield* Batch.run(store, collection, payload, yield* Clock.currentTimeMillis)
          return new Response(reply, { headers: { "Content-Type": "application/json" } })
        })
      )
      .handle("list", ({ path, urlParams }) =>
        Effect.gen(function* () {
          const collection = yield* collectionOf(path.collection, false)
          const { cursor, ...options } = urlParams
          const from = yield* ownCursor(collection.name, cursor)
          const page = yield* refusing(store.list(collection, { ...options, ...from }))
          return {
            keys: page.keys.map(({ expiresAt, key, tags }) => ({
              key,
              expiresAt: isoTime(expiresAt),
              tags: namedTags(tags)
            })),
            cursor: page.cursor === undefined ? null : cursorFrom(collection.name, page.cursor)
          }
        })
      )
      .handle("clear", ({ path }) =>
        Effect.gen(function* () {
          const { complete, deleted } = yield* refusing(store.clear(yield* collectionOf(path.collection, true)))
          const headers = deleted === undefined ? {} : { "Larder-Deleted": String(deleted) }
          return complete
            ? new Response(null, { status: 204, headers })
            : Response.json({ deleted, complete }, { status: 202, headers })
        })
      )
  })
)
