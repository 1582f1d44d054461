import { hashOf } from "../../services/base/model/Hash.ts"
import { hit, type RateLimitResult, resultOf, type Window } from "../../services/limits/model/FixedWindow.ts"
import { kvNamespace } from "../facade/namespace.ts"
import { listed } from "../facade/namespaceKeys.ts"

export type { RateLimitResult }

/** Where is counted: the objects (`CacheDurableObject`), exactly; or a KV namespace, with what each isolate knows. */
export type CountingPlace = DurableObjectNamespace | KVNamespace

/** The methods of an object that counts. */
interface Counting {
  readonly hit: (key: string, hits: number, windowMillis: number) => Promise<Window>
  readonly reset: (key: string) => Promise<void>
  readonly add: (key: string, by: number) => Promise<number>
}

export interface RateLimitOptions {
  readonly limit: number
  /** Seconds. */
  readonly window: number
  /** Hits to count. Default 1. */
  readonly hits?: number
  /** Objects that share the keys. Default 1. */
  readonly shards?: number
}

const isObjects = (place: CountingPlace): place is DurableObjectNamespace =>
  typeof (place as DurableObjectNamespace).getByName === "function"

const objectOf = (objects: DurableObjectNamespace, key: string, shards: number): Counting =>
  objects.getByName(`limits-${hashOf(key) % shards}`) as unknown as Counting

/** Of this isolate, where there are no objects. */
const windows = new Map<string, Window>()
const mostWindows = 10_000

const hitHere = (key: string, hits: number, windowMillis: number): Window => {
  const now = Date.now()
  const window = hit(windows.get(key), hits, now, windowMillis)
  windows.delete(key)
  windows.set(key, window)
  if (windows.size > mostWindows) windows.delete(windows.keys().next().value!)
  return window
}

/** Once more on a fresh stub after an error that the platform calls retryable: at worst these hits count twice. */
const hitThere = async (
  place: DurableObjectNamespace,
  key: string,
  hits: number,
  windowMillis: number,
  shards: number
) => {
  const count = () => objectOf(place, key, shards).hit(key, hits, windowMillis)
  try {
    return await count()
  } catch (error) {
    const { overloaded, retryable } = error as { readonly overloaded?: boolean; readonly retryable?: boolean }
    if (retryable !== true || overloaded === true) throw error
    return count()
  }
}

const windowOf = (place: CountingPlace, key: string, hits: number, windowMillis: number, shards = 1) =>
  isObjects(place) ? hitThere(place, key, hits, windowMillis, shards) : hitHere(key, hits, windowMillis)

/**
 * Counts a hit of a key in its window and says whether it is within the limit. In objects it is exact: one request, no
 * operation of KV, and no row where the window is a minute or less. With a KV namespace each isolate counts for itself
 * and nothing is stored: a limit of 100 then is one of 100 for each isolate.
 *
 * @example
 * const { allowed, resetAt } = await rateLimit(env.CACHE_DO, ip, { limit: 100, window: 60 })
 */
export const rateLimit = async (
  place: CountingPlace,
  key: string,
  { hits = 1, limit, shards, window }: RateLimitOptions
): Promise<RateLimitResult> => resultOf(await windowOf(place, key, hits, window * 1000, shards), limit)

export interface Counter {
  /** Adds, and gives the value as far as it is known here. */
  readonly add: (by?: number) => Promise<number>
  readonly get: () => Promise<number>
}

export interface CounterOptions {
  /** Objects that share the keys. Default 1. */
  readonly shards?: number
  /** KV mode: keeps the event alive while counts wait for their flush. Without it each `add` waits for its write. */
  readonly context?: Pick<ExecutionContext, "waitUntil">
  /** KV mode: seconds between writes of an isolate. Default 5. */
  readonly flushAfter?: number
}

/** What an isolate has counted under a key of its own, which nobody else writes. */
interface Own {
  readonly id: string
  total: number
  written: number
  flushing: Promise<void> | undefined
}

const counted = new WeakMap<KVNamespace, Map<string, Own>>()

const ownOf = (namespace: KVNamespace, key: string): Own => {
  const own = counted.get(namespace) ?? new Map<string, Own>()
  counted.set(namespace, own)
  let found = own.get(key)
  if (found === undefined) {
    found = { id: `${prefixOf(key)}${crypto.randomUUID()}`, total: 0, written: 0, flushing: undefined }
    own.set(key, found)
  }
  return found
}

const prefixOf = (key: string): string => `counter:${key}:`

const flush = async (namespace: KVNamespace, own: Own): Promise<void> => {
  const total = own.total
  await namespace.put(own.id, "", { metadata: { total } })
  own.written = total
}

const later = (namespace: KVNamespace, own: Own, seconds: number): Promise<void> =>
  new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000)).then(async () => {
    own.flushing = undefined
    if (own.written !== own.total) await flush(namespace, own)
  })

/** A counter in KV: a key for each isolate, whose metadata holds what it has counted, and one list for the sum. */
const counterInKv = (namespace: KVNamespace, key: string, { context, flushAfter = 5 }: CounterOptions): Counter => {
  const own = ownOf(namespace, key)
  const others = async (): Promise<number> => {
    let sum = 0
    for await (const keys of listed<{ readonly total?: number }>(kvNamespace(namespace, context), prefixOf(key))) {
      for (const { metadata, name } of keys) if (name !== own.id) sum += metadata?.total ?? 0
    }
    return sum
  }
  return {
    add: async (by = 1) => {
      own.total += by
      if (context === undefined) await flush(namespace, own)
      else if (own.flushing === undefined) {
        own.flushing = later(namespace, own, flushAfter)
        context.waitUntil(own.flushing)
      }
      return own.total
    },
    get: async () => (await others()) + own.total
  }
}

/**
 * A counter. In objects it is exact, each `add` one request and one row, no operation of KV. With a KV namespace each
 * isolate writes what it has counted under a key of its own, together every `flushAfter` seconds; `get` sums them up with
 * one list, a minute or more behind, and `add` gives this isolate's count. What waits is lost when the isolate dies.
 *
 * @example
 * await counter(env.CACHE_DO, "visits").add()
 */
export const counter = (place: CountingPlace, key: string, options: CounterOptions = {}): Counter => {
  if (!isObjects(place)) return counterInKv(place, key, options)
  const object = () => objectOf(place, key, options.shards ?? 1)
  return { add: async (by = 1) => object().add(key, by), get: async () => object().add(key, 0) }
}

/**
 * A store for hono-rate-limiter.
 *
 * @example
 * rateLimiter({ windowMs: 60_000, limit: 100, keyGenerator, store: honoStore(env.CACHE_DO) })
 */
export const honoStore = (
  place: CountingPlace,
  { prefix = "", shards }: { readonly prefix?: string; readonly shards?: number } = {}
) => {
  let windowMillis = 60_000
  const count = async (key: string, hits: number) => {
    const { endsAt, hits: totalHits } = await windowOf(place, prefix + key, hits, windowMillis, shards)
    return { totalHits, resetTime: new Date(endsAt) }
  }
  return {
    prefix,
    localKeys: !isObjects(place),
    init: (options: { readonly windowMs: number }): void => {
      windowMillis = options.windowMs
    },
    get: (key: string) => count(key, 0),
    increment: (key: string) => count(key, 1),
    decrement: async (key: string): Promise<void> => void (await count(key, -1)),
    resetKey: async (key: string): Promise<void> => {
      if (isObjects(place)) await objectOf(place, prefix + key, shards ?? 1).reset(prefix + key)
      else windows.delete(prefix + key)
    }
  }
}
