import { clearKeys, expirationTtlOf, namespaceKeys, valuesOf } from "../facade/namespaceKeys.ts"

export interface UnstorageOptions {
  /** In front of every key. Default none. */
  readonly base?: string
}

interface Metadata {
  readonly [name: string]: string | number | boolean | null
}

interface SetOptions {
  /** Seconds. */
  readonly ttl?: number
}

/**
 * A driver for unstorage.
 *
 * @param namespace as `withLarder` or `kvNamespace` give it
 * @example
 * const storage = createStorage({ driver: larderDriver(env.KV) })
 */
export const larderDriver = (namespace: KVNamespace, options: UnstorageOptions = {}) => {
  const front = options.base === undefined || options.base === "" ? "" : `${options.base}:`
  const secondsOf = ({ ttl }: SetOptions = {}) => expirationTtlOf(ttl === undefined ? undefined : ttl * 1000)

  return {
    name: "larder-kv",
    options,
    hasItem: async (key: string): Promise<boolean> => (await namespace.get(front + key)) !== null,
    getItem: (key: string): Promise<string | null> => namespace.get(front + key),
    getItems: async (items: ReadonlyArray<{ readonly key: string }>) => {
      const values = await valuesOf(
        namespace,
        items.map(({ key }) => front + key)
      )
      return items.map(({ key }, at) => ({ key, value: values[at] ?? null }))
    },
    getItemRaw: async (key: string): Promise<Uint8Array | null> => {
      const found = await namespace.get(front + key, "arrayBuffer")
      return found === null ? null : new Uint8Array(found)
    },
    setItem: (key: string, value: string, options?: SetOptions): Promise<void> =>
      namespace.put(front + key, value, secondsOf(options)),
    setItemRaw: (key: string, value: string | ArrayBuffer | ArrayBufferView, options?: SetOptions): Promise<void> =>
      namespace.put(front + key, value, secondsOf(options)),
    removeItem: (key: string): Promise<void> => namespace.delete(front + key),
    /** What KV keeps beside the value. */
    getMeta: async (key: string): Promise<Metadata | null> => {
      const { metadata, value } = await namespace.getWithMetadata<Metadata>(front + key)
      return value === null ? null : (metadata ?? {})
    },
    getKeys: async (base = ""): Promise<Array<string>> => {
      const found: Array<string> = []
      for await (const keys of namespaceKeys(namespace, front + base)) {
        found.push(...keys.map((key) => key.slice(front.length)))
      }
      return found
    },
    clear: (base = ""): Promise<void> => clearKeys(namespace, front + base)
  }
}
