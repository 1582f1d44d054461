import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { defaultContentType } from "../../services/store/model/Entry.ts"
import type {
  Acknowledgement,
  Lookup,
  Store,
  StoreError,
  StoreResult,
  Write,
  Written
} from "../../services/store/Store.ts"
import { isoTime } from "../http/isoTime.ts"
import { fromEntry, toStored } from "../http/jsonValue.ts"
import { fromStoreError } from "../http/problem.ts"
import type { Batch, BatchReply } from "./apiCache.ts"

type Request = Schema.Schema.Type<typeof Batch>
type Reply = Schema.Schema.Encoded<typeof BatchReply>
type GetResult = NonNullable<Reply["get"]>[number]
type WriteResult = NonNullable<Reply["set"]>[number]

export const keysOf = (batch: Request): number =>
  (batch.get?.length ?? 0) + (batch.set?.length ?? 0) + (batch.delete?.length ?? 0)

export const changesSomething = (batch: Request): boolean =>
  (batch.set?.length ?? 0) > 0 || (batch.delete?.length ?? 0) > 0

/** Deletes, then writes, then reads, so that a batch reads what it wrote. Never fails: every key has its result. */
export const run = (
  store: Context.Tag.Service<Store>,
  collection: Collection,
  batch: Request,
  now: number
): Effect.Effect<Reply> =>
  Effect.gen(function* () {
    const reply: { -readonly [K in keyof Reply]: Reply[K] } = {}
    if (batch.delete !== undefined) {
      reply.delete = yield* Effect.forEach(
        batch.delete,
        (key) =>
          Effect.match(store.delete(collection, key), {
            onFailure: (error) => failed(key, error, now),
            onSuccess: (acknowledged): WriteResult => ({ key, status: statusOf(acknowledged, 204) })
          }),
        { concurrency: openConnections }
      )
    }
    if (batch.set !== undefined) {
      const results = yield* store.setMany(collection, batch.set.map(toWrite))
      reply.set = batch.set.map(({ key }, index) => setResult(key, results[index]!, now))
    }
    if (batch.get !== undefined) {
      const { get } = batch
      reply.get = yield* Effect.match(store.getMany(collection, get), {
        onFailure: (error) => get.map((key): GetResult => ({ ...failed(key, error, now), status: 503, found: false })),
        onSuccess: (lookups) => get.map((key, index) => getResult(key, lookups[index]!))
      })
    }
    return reply
  })

const toWrite = (item: NonNullable<Request["set"]>[number]): Write => ({
  key: item.key,
  ...(item.base64 === undefined
    ? toStored(item.value)
    : { value: item.base64, contentType: item.contentType ?? defaultContentType }),
  ...(item.ttl === undefined ? {} : { ttl: item.ttl * 1000 }),
  ...(item.tags === undefined ? {} : { tags: item.tags })
})

const getResult = (key: string, { entry, tier }: Lookup): GetResult =>
  entry === undefined
    ? { key, status: 404, found: false, tier }
    : {
        key,
        status: 200,
        found: true,
        ...fromEntry(entry),
        contentType: entry.contentType,
        expiresAt: isoTime(entry.expiresAt),
        tier
      }

const setResult = (key: string, result: StoreResult<Written>, now: number): WriteResult =>
  result._tag === "Failed"
    ? failed(key, result.error, now)
    : { key, status: statusOf(result.value.acknowledged, result.value.replaced ? 204 : 201) }

const statusOf = (acknowledged: Acknowledgement, status: 201 | 204): number =>
  acknowledged === "stored" ? status : 202

const failed = (key: string, error: StoreError, now: number): WriteResult => {
  const { type, title, status, detail, retryAfter } = fromStoreError(error, now)
  return { key, status, problem: { type, title, detail, ...(retryAfter === undefined ? {} : { retryAfter }) } }
}
