import { expirationTtlOf } from "../facade/namespaceKeys.ts"

export interface CachifiedEntry<Value = unknown> {
  readonly metadata: {
    /** Milliseconds since the epoch. */
    readonly createdTime: number
    /** Milliseconds; null for ever. */
    readonly ttl?: number | null
    readonly swr?: number | null
  }
  readonly value: Value
}

/**
 * A cache for cachified. An entry ends in KV with its ttl and the time after it in which it may be served stale, or after
 * a minute, which is KV's least.
 *
 * @param namespace as `withLarder` or `kvNamespace` give it
 * @example
 * await cachified({ cache: cachifiedCache(env.KV), key, ttl: 300_000, getFreshValue })
 */
export const cachifiedCache = (namespace: KVNamespace, options: { readonly prefix?: string } = {}) => {
  const { prefix = "" } = options
  return {
    name: "larder-kv",
    // The library's own type of a cache leaves the type of its values open.
    // biome-ignore lint/suspicious/noExplicitAny: see above.
    get: (key: string): Promise<any> => namespace.get<CachifiedEntry>(prefix + key, "json"),
    set: async (key: string, entry: CachifiedEntry): Promise<void> => {
      const { createdTime, swr, ttl } = entry.metadata
      const life = (ttl ?? Number.POSITIVE_INFINITY) + (swr === null ? Number.POSITIVE_INFINITY : (swr ?? 0))
      await namespace.put(prefix + key, JSON.stringify(entry), expirationTtlOf(createdTime + life - Date.now()))
    },
    delete: (key: string): Promise<void> => namespace.delete(prefix + key)
  }
}
