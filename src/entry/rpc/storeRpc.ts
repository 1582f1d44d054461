import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { brokenCondition } from "../../services/base/model/Preconditions.ts"
import type { Ledger, LedgerReport } from "../../services/ledger/Ledger.ts"
import type { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { entityTag } from "../../services/store/model/EntityTag.ts"
import type {
  Acknowledgement,
  Change,
  Conditional,
  Loaded,
  Lookup,
  Store,
  StoreError,
  StoreResult,
  Written
} from "../../services/store/Store.ts"
import { nobody } from "../http/authorize.ts"
import { brokenKeyRule } from "../http/parameters.ts"
import { closedTo } from "../store/applicationData.ts"

/** What must hold for a change, judged together with making it: entity tags as `RpcEntry.etag` has them, or `*`. In durable mode only. */
export interface RpcConditions {
  /** Fails unless the entry has one of these tags; `*`: unless there is one. */
  readonly ifMatch?: string
  /** Fails if the entry has one of these tags; `*`: if there is one. */
  readonly ifNoneMatch?: string
}

/** What is put: text is kept as `text/plain`, bytes as `application/octet-stream`, unless it says its type. */
export interface RpcValue {
  readonly value: string | Uint8Array | ArrayBuffer
  readonly contentType?: string
  /** Whole seconds; the collection's without it. */
  readonly ttl?: number
  readonly tags?: ReadonlyArray<string>
}

export interface RpcEntry {
  readonly value: Uint8Array
  /** With its quotes, as the HTTP API has it. */
  readonly etag: string
  readonly contentType: string
  /** Milliseconds since the epoch; null for never. */
  readonly expiresAt: number | null
  readonly tags: ReadonlyArray<string>
  /** Who answered: `memory`, `edge`, `durable`, `kv`, `loader` or `static`. */
  readonly tier: string
  readonly freshness: "fresh" | "stale" | "grace"
}

export interface RpcWritten {
  readonly acknowledged: Acknowledgement
  readonly replaced: boolean
  /** Milliseconds since the epoch; null for never, and of a removal. */
  readonly expiresAt: number | null
}

export type RpcChange = RpcConditions &
  ((RpcValue & { readonly key: string }) | { readonly key: string; readonly remove: true })

/** Of one key of several: its value, or the `reason` of `StoreError`. */
export type RpcResult<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly reason: string }

/**
 * The Store by RPC, for service bindings. Collections by name; a failure rejects with a message that begins with the
 * `reason` of `StoreError`.
 */
export interface StoreRpc {
  readonly get: (collection: string, key: string) => Promise<RpcEntry | null>
  readonly getMany: (
    collection: string,
    keys: ReadonlyArray<string>
  ) => Promise<ReadonlyArray<RpcResult<RpcEntry | null>>>
  /** The entry, or what `load` brings, once for all who ask at once; null where it brings none. */
  readonly getOrLoad: (
    collection: string,
    key: string,
    load: () => Promise<RpcValue | null>
  ) => Promise<RpcEntry | null>
  readonly set: (collection: string, key: string, value: RpcValue & RpcConditions) => Promise<RpcWritten>
  readonly writeMany: (
    collection: string,
    changes: ReadonlyArray<RpcChange>
  ) => Promise<ReadonlyArray<RpcResult<RpcWritten>>>
  readonly delete: (collection: string, key: string, conditions?: RpcConditions) => Promise<Acknowledgement>
  readonly list: (
    collection: string,
    options?: { readonly prefix?: string; readonly cursor?: string; readonly limit?: number }
  ) => Promise<{
    readonly keys: ReadonlyArray<{
      readonly key: string
      readonly expiresAt: number | null
      readonly tags: ReadonlyArray<string>
    }>
    readonly cursor: string | null
  }>
  /** `boundSeconds`: how long other isolates may still answer with what they hold; null for without bound. */
  readonly invalidateTags: (tags: ReadonlyArray<string>) => Promise<{ readonly boundSeconds: number | null }>
  readonly clear: (collection: string) => Promise<{ readonly complete: boolean }>
  /** What the answering isolate did since it began, and what that cost: as `GET /api/v1/ledger` has it. */
  readonly inspect: () => Promise<LedgerReport>
}

type Run = <A>(work: Effect.Effect<A, StoreError | Refused>) => Promise<A>

/** What a caller has done wrong. */
class Refused extends Error {}

const encoder = new TextEncoder()

const endOf = (expiresAt: number): number | null => (Number.isFinite(expiresAt) ? expiresAt : null)

const loadedOf = ({ contentType, tags, ttl, value }: RpcValue): Loaded => {
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl > 0))
    throw new Refused("BadTtl: ttl is a whole number of seconds")
  return {
    value: typeof value === "string" ? encoder.encode(value) : new Uint8Array(value as ArrayBuffer),
    contentType: contentType ?? (typeof value === "string" ? "text/plain" : "application/octet-stream"),
    ...(ttl === undefined ? {} : { ttl: ttl * 1000 }),
    ...(tags === undefined ? {} : { tags })
  }
}

const conditional = ({ ifMatch, ifNoneMatch }: RpcConditions): Conditional => {
  if (ifMatch === undefined && ifNoneMatch === undefined) return {}
  const condition = { ifMatch: ifMatch ?? null, ifNoneMatch: ifNoneMatch ?? null }
  const broken = brokenCondition(condition)
  if (broken !== undefined) throw new Refused(`BadCondition: ${broken}`)
  return { condition }
}

const entryOf = ({ entry, freshness, tier }: Lookup): RpcEntry | null =>
  entry === undefined
    ? null
    : {
        value: entry.value.slice(),
        etag: entityTag(entry),
        contentType: entry.contentType,
        expiresAt: endOf(entry.expiresAt),
        tags: entry.tags,
        tier,
        freshness
      }

const writtenOf = ({ acknowledged, expiresAt, replaced }: Written, removal = false): RpcWritten => ({
  acknowledged,
  replaced,
  expiresAt: removal ? null : endOf(expiresAt)
})

const resultOf = <A, B>(result: StoreResult<A>, told: (value: A) => B): RpcResult<B> =>
  result._tag === "Done" ? { ok: true, value: told(result.value) } : { ok: false, reason: result.error.reason }

const changeOf = (change: RpcChange): Change =>
  "remove" in change
    ? { key: change.key, remove: true, ...conditional(change) }
    : { key: change.key, ...loadedOf(change), ...conditional(change) }

/** @param run in one event of the Worker */
export const storeRpc = (
  store: Context.Tag.Service<Store>,
  { collections }: Context.Tag.Service<Settings>,
  ledger: Context.Tag.Service<Ledger>,
  run: Run
): StoreRpc => {
  const within = <A>(
    name: string,
    keys: ReadonlyArray<string>,
    changes: boolean,
    work: (collection: Collection) => Effect.Effect<A, StoreError | Refused>
  ): Promise<A> =>
    run(
      Effect.suspend(() => {
        const collection = collections.get(name)
        if (collection === undefined) return Effect.fail(new Refused(`NoSuchCollection: ${name}`))
        const closed = closedTo(collection, nobody, changes)
        if (closed !== undefined) return Effect.fail(new Refused(`ApplicationCollection: ${closed.detail}`))
        const rule = keys.map(brokenKeyRule).find((it) => it !== undefined)
        return rule === undefined ? work(collection) : Effect.fail(new Refused(`BadKey: ${rule}`))
      }).pipe(
        Effect.catchSomeDefect((defect) =>
          defect instanceof Refused ? Option.some(Effect.fail(defect)) : Option.none()
        )
      )
    )
  return {
    get: (name, key) => within(name, [key], false, (collection) => Effect.map(store.get(collection, key), entryOf)),
    getMany: (name, keys) =>
      within(name, keys, false, (collection) =>
        Effect.map(store.getMany(collection, keys), (results) => results.map((it) => resultOf(it, entryOf)))
      ),
    getOrLoad: (name, key, load) =>
      within(name, [key], false, (collection) =>
        Effect.map(
          store.getOrLoad(
            collection,
            key,
            Effect.tryPromise({
              try: async () => Option.map(Option.fromNullable(await load()), loadedOf),
              catch: (cause) => (cause instanceof Refused ? cause : new Refused(`LoadFailed: ${cause}`))
            })
          ),
          entryOf
        )
      ),
    set: (name, key, given) =>
      within(name, [key], true, (collection) => {
        const { value, ...options } = loadedOf(given)
        return Effect.map(store.set(collection, key, value, { ...options, ...conditional(given) }), (it) =>
          writtenOf(it)
        )
      }),
    writeMany: (name, changes) =>
      within(
        name,
        changes.map(({ key }) => key),
        true,
        (collection) =>
          Effect.map(store.writeMany(collection, changes.map(changeOf)), (results) =>
            results.map((it, at) => resultOf(it, (written) => writtenOf(written, "remove" in changes[at]!)))
          )
      ),
    delete: (name, key, conditions = {}) =>
      within(name, [key], true, (collection) => store.delete(collection, key, conditional(conditions))),
    list: (name, options = {}) =>
      within(name, [], false, (collection) =>
        Effect.map(store.list(collection, options), ({ cursor, keys }) => ({
          keys: keys.map(({ expiresAt, key, tags }) => ({ key, expiresAt: endOf(expiresAt), tags })),
          cursor: cursor ?? null
        }))
      ),
    invalidateTags: (tags) =>
      run(
        Effect.map(store.invalidateTags(tags), ({ boundMillis }) => ({
          boundSeconds: Number.isFinite(boundMillis) ? Math.ceil(boundMillis / 1000) : null
        }))
      ),
    clear: (name) =>
      within(name, [], true, (collection) => Effect.map(store.clear(collection), ({ complete }) => ({ complete }))),
    inspect: async () => ledger.report()
  }
}
