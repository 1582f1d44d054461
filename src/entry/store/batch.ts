import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { brokenContentTypeRule } from "../../services/store/model/ContentType.ts"
import { defaultContentType } from "../../services/store/model/Entry.ts"
import type { Acknowledgement, Store, StoreResult, Write, Written } from "../../services/store/Store.ts"
import { toStored } from "../http/jsonValue.ts"
import { fromStoreError, type Problem, problem } from "../http/problem.ts"
import type { Batch } from "./apiCache.ts"
import { type GetResult, ReadRows, rowOf, textOf, type WriteResult } from "./batchReply.ts"

type Request = Schema.Schema.Type<typeof Batch>
type SetItem = NonNullable<Request["set"]>[number]

export const keysOf = (batch: Request): number =>
  (batch.get?.length ?? 0) + (batch.set?.length ?? 0) + (batch.delete?.length ?? 0)

export const changesSomething = (batch: Request): boolean =>
  (batch.set?.length ?? 0) > 0 || (batch.delete?.length ?? 0) > 0

/**
 * Deletes, then writes, then reads, so that a batch reads what it wrote. Gives the reply as JSON. Never fails: every
 * key has its result.
 */
export const run = (
  store: Context.Tag.Service<Store>,
  collection: Collection,
  batch: Request,
  now: number
): Effect.Effect<Uint8Array> =>
  Effect.gen(function* () {
    const parts: Array<Parameters<typeof textOf>[0][number]> = []
    if (batch.delete !== undefined) {
      const results = yield* Effect.forEach(
        batch.delete,
        (key) =>
          Effect.match(store.delete(collection, key), {
            onFailure: (error) => failed(key, fromStoreError(error, now)),
            onSuccess: (acknowledged): WriteResult => ({ key, status: statusOf(acknowledged, 204) })
          }),
        { concurrency: openConnections }
      )
      parts.push(["delete", results.map(rowOf)])
    }
    if (batch.set !== undefined) parts.push(["set", (yield* setAll(store, collection, batch.set, now)).map(rowOf)])
    if (batch.get !== undefined) parts.push(["get", yield* getAll(store, collection, [...new Set(batch.get)], now)])
    return textOf(parts)
  })

const setAll = (
  store: Context.Tag.Service<Store>,
  collection: Collection,
  items: ReadonlyArray<SetItem>,
  now: number
): Effect.Effect<ReadonlyArray<WriteResult>> => {
  const refusals = items.map(refusalOf)
  const going = items.filter((_, index) => refusals[index] === undefined)
  return Effect.map(store.setMany(collection, going.map(toWrite)), (results) => {
    let next = 0
    return items.map(({ key }, index) =>
      refusals[index] === undefined ? setResult(key, results[next++]!, now) : failed(key, refusals[index])
    )
  })
}

const refusalOf = ({ contentType }: SetItem): Problem | undefined => {
  const rule = contentType === undefined ? undefined : brokenContentTypeRule(contentType)
  return rule === undefined ? undefined : problem("invalid-body", rule)
}

const getAll = (
  store: Context.Tag.Service<Store>,
  collection: Collection,
  keys: ReadonlyArray<string>,
  now: number
): Effect.Effect<ReadonlyArray<Uint8Array>> =>
  Effect.match(store.getMany(collection, keys), {
    onFailure: (error) =>
      keys.map((key) => {
        const result: GetResult = { ...failed(key, fromStoreError(error, now)), status: 503, found: false }
        return rowOf(result)
      }),
    onSuccess: (lookups) => {
      const read = new ReadRows()
      for (const [index, key] of keys.entries()) read.add(key, lookups[index])
      return read.rows
    }
  })

const toWrite = (item: SetItem): Write => ({
  key: item.key,
  ...(item.base64 === undefined ? toStored(item.value) : { value: item.base64, contentType: defaultContentType }),
  ...(item.contentType === undefined ? {} : { contentType: item.contentType }),
  ...(item.ttl === undefined ? {} : { ttl: item.ttl * 1000 }),
  ...(item.tags === undefined ? {} : { tags: item.tags })
})

const setResult = (key: string, result: StoreResult<Written>, now: number): WriteResult =>
  result._tag === "Failed"
    ? failed(key, fromStoreError(result.error, now))
    : { key, status: statusOf(result.value.acknowledged, result.value.replaced ? 204 : 201) }

const statusOf = (acknowledged: Acknowledgement, status: 201 | 204): number =>
  acknowledged === "stored" ? status : 202

const failed = (key: string, { detail, retryAfter, status, title, type }: Problem): WriteResult => ({
  key,
  status,
  problem: { type, title, detail, ...(retryAfter === undefined ? {} : { retryAfter }) }
})
