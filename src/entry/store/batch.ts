import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { brokenCondition } from "../../services/base/model/Preconditions.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { brokenContentTypeRule } from "../../services/store/model/ContentType.ts"
import { defaultContentType } from "../../services/store/model/Entry.ts"
import type {
  Acknowledgement,
  Change,
  Conditional,
  Store,
  StoreResult,
  Write,
  Written
} from "../../services/store/Store.ts"
import { isoTime } from "../http/isoTime.ts"
import { toStored } from "../http/jsonValue.ts"
import { fromStoreError, logFailing, type Problem, problem } from "../http/problem.ts"
import type { Batch } from "./apiCache.ts"
import { budgetBytes, type GetResult, ReadRows, rowOf, textOf, type WriteResult } from "./batchReply.ts"

type Request = Schema.Schema.Type<typeof Batch>
type SetItem = NonNullable<Request["set"]>[number]
type DeleteItem = Exclude<NonNullable<Request["delete"]>[number], string>

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
    const { get, set: items = [] } = batch
    const removed = (batch.delete ?? []).map((item): DeleteItem => (typeof item === "string" ? { key: item } : item))
    const refusals = new Map<object, Problem | undefined>([...removed, ...items].map((item) => [item, refusalOf(item)]))
    const isTaken = (item: object) => refusals.get(item) === undefined
    const results = yield* store.writeMany(collection, [
      ...removed.filter(isTaken).map(toRemoval),
      ...items.filter(isTaken).map(toWrite)
    ])
    yield* logFirst(results)
    let next = 0
    const rowsOf = (written: ReadonlyArray<DeleteItem>, resultOf: typeof setResult) =>
      written.map((item) =>
        rowOf(isTaken(item) ? resultOf(item.key, results[next++]!, now) : failed(item.key, refusals.get(item)!))
      )
    const parts: Array<Parameters<typeof textOf>[0][number]> = []
    if (batch.delete !== undefined) parts.push(["delete", rowsOf(removed, removeResult)])
    if (batch.set !== undefined) parts.push(["set", rowsOf(items, setResult)])
    if (get !== undefined) parts.push(["get", yield* getAll(store, collection, [...new Set(get)], now)])
    return textOf(parts)
  })

/** Of many that failed for one reason, as a rule, one stands in the log. */
const logFirst = (results: ReadonlyArray<StoreResult<unknown>>): Effect.Effect<void> => {
  const failed = results.find((it) => it._tag === "Failed" && it.error.reason === "Unavailable")
  return failed?._tag === "Failed" ? logFailing(failed.error) : Effect.void
}

const refusalOf = (item: SetItem | DeleteItem): Problem | undefined => {
  const contentType = "contentType" in item ? item.contentType : undefined
  const rule = brokenCondition(item) ?? (contentType === undefined ? undefined : brokenContentTypeRule(contentType))
  return rule === undefined ? undefined : problem("invalid-body", rule)
}

const getAll = (
  store: Context.Tag.Service<Store>,
  collection: Collection,
  keys: ReadonlyArray<string>,
  now: number
): Effect.Effect<ReadonlyArray<Uint8Array>> =>
  Effect.map(Effect.tap(store.getMany(collection, keys, budgetBytes), logFirst), (results) => {
    const read = new ReadRows()
    for (const [index, key] of keys.entries()) {
      const result = results[index]!
      if (result._tag === "Done") read.add(key, result.value)
      else read.rows.push(rowOf(unknown(key, fromStoreError(result.error, now))))
    }
    return read.rows
  })

const unknown = (key: string, problem: Problem): GetResult => ({
  ...failed(key, problem),
  status: 503,
  found: false,
  again: true
})

const conditional = ({ ifMatch, ifNoneMatch }: DeleteItem): Conditional =>
  ifMatch === undefined && ifNoneMatch === undefined
    ? {}
    : { condition: { ifMatch: ifMatch ?? null, ifNoneMatch: ifNoneMatch ?? null } }

const toRemoval = (item: DeleteItem): Change => ({ key: item.key, remove: true, ...conditional(item) })

const toWrite = (item: SetItem): Write => ({
  key: item.key,
  ...conditional(item),
  ...(item.base64 === undefined ? toStored(item.value) : { value: item.base64, contentType: defaultContentType }),
  ...(item.contentType === undefined ? {} : { contentType: item.contentType }),
  ...(item.ttl === undefined ? {} : { ttl: item.ttl * 1000 }),
  ...(item.tags === undefined ? {} : { tags: item.tags })
})

const removeResult = (key: string, result: StoreResult<Written>, now: number): WriteResult =>
  result._tag === "Failed"
    ? failed(key, fromStoreError(result.error, now))
    : { key, status: statusOf(result.value.acknowledged, 204) }

const setResult = (key: string, result: StoreResult<Written>, now: number): WriteResult =>
  result._tag === "Failed"
    ? failed(key, fromStoreError(result.error, now))
    : {
        key,
        status: statusOf(result.value.acknowledged, result.value.replaced ? 204 : 201),
        expiresAt: isoTime(result.value.expiresAt)
      }

const statusOf = (acknowledged: Acknowledgement, status: 201 | 204): number =>
  acknowledged === "stored" ? status : 202

const failed = (key: string, { detail, retryAfter, status, title, type }: Problem): WriteResult => ({
  key,
  status,
  problem: { type, title, detail, ...(retryAfter === undefined ? {} : { retryAfter }) }
})
