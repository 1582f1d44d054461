import type { KvCounts } from "../../src/services/ledger/Ledger.ts"

type Counts = { -readonly [K in keyof KvCounts]: number }

interface Stored {
  readonly bytes: Uint8Array
  readonly metadata: unknown
  readonly expiration: number | undefined
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const bytesOf = (value: unknown): Uint8Array =>
  typeof value === "string" ? encoder.encode(value) : new Uint8Array(value as ArrayBuffer)

const shown = (found: Stored | undefined, options: unknown) => {
  if (found === undefined) return null
  const type = typeof options === "string" ? options : (options as { readonly type?: string } | undefined)?.type
  if (type === "stream") return new Response(found.bytes.slice()).body
  if (type === "arrayBuffer") return found.bytes.slice().buffer
  const text = decoder.decode(found.bytes)
  return type === "json" ? JSON.parse(text) : text
}

/** A namespace in memory that counts the keys that KV would bill and answers after some milliseconds, 0 for at once. */
export const meteredNamespace = (usualMillis: number) => {
  let latencyMillis = usualMillis
  const kept = new Map<string, Stored>()
  const counts: Counts = { reads: 0, writes: 0, deletes: 0, lists: 0 }
  const answered = async () => {
    if (latencyMillis > 0) await new Promise<void>((resolve) => setTimeout(resolve, latencyMillis))
  }
  const living = (key: string): Stored | undefined => {
    const found = kept.get(key)
    return found?.expiration !== undefined && found.expiration * 1000 <= Date.now() ? undefined : found
  }
  const reading =
    <A>(show: (found: Stored | undefined, options: unknown) => A) =>
    async (keys: string | ReadonlyArray<string>, options?: unknown) => {
      const asked = typeof keys === "string" ? [keys] : [...new Set(keys)]
      counts.reads += asked.length
      await answered()
      if (typeof keys === "string") return show(living(keys), options)
      return new Map(asked.map((key) => [key, show(living(key), options)]))
    }
  const namespace = {
    get: reading(shown),
    getWithMetadata: reading((found, options) => ({
      value: shown(found, options),
      metadata: found?.metadata ?? null,
      cacheStatus: null
    })),
    put: async (key: string, value: unknown, options: KVNamespacePutOptions = {}) => {
      counts.writes++
      await answered()
      const { expiration, expirationTtl, metadata = null } = options
      const end = expirationTtl === undefined ? expiration : Math.floor(Date.now() / 1000) + expirationTtl
      kept.set(key, { bytes: bytesOf(value), metadata, expiration: end })
    },
    delete: async (key: string) => {
      counts.deletes++
      await answered()
      kept.delete(key)
    },
    list: async ({ prefix = "" }: { readonly prefix?: string } = {}) => {
      counts.lists++
      await answered()
      const names = [...kept.keys()].filter((name) => name.startsWith(prefix) && living(name)).sort()
      return { keys: names.map((name) => ({ name })), list_complete: true, cacheStatus: null }
    }
  }
  const answerAfter = (millis: number): void => {
    latencyMillis = millis
  }
  return { kv: namespace as unknown as KVNamespace, counts, answerAfter }
}
