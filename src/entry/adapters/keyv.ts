import { clearKeys, expirationTtlOf, namespaceKeys, valuesOf } from "../facade/namespaceKeys.ts"

/**
 * A store for Keyv 5. KV ends nothing before a minute has passed; what Keyv wraps its values in ends by itself.
 *
 * @param namespace as `withLarder` or `kvNamespace` give it
 * @example
 * const keyv = new Keyv({ store: keyvStore(env.KV), namespace: "users" })
 */
export const keyvStore = (namespace: KVNamespace): KeyvStore => new KeyvStore(namespace)

export class KeyvStore {
  /** Keyv iterates only over stores of a dialect that it knows, and asks for nothing else of it. */
  readonly opts: { readonly dialect: "redis"; readonly url: string } = { dialect: "redis", url: "larder-kv" }
  namespace?: string | undefined
  readonly #kv: KVNamespace

  constructor(namespace: KVNamespace) {
    this.#kv = namespace
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return ((await this.#kv.get(key)) ?? undefined) as Value | undefined
  }

  async getMany<Value>(keys: Array<string>): Promise<Array<Value | undefined>> {
    return (await valuesOf(this.#kv, keys)).map((value) => (value ?? undefined) as Value | undefined)
  }

  /** @param ttl milliseconds */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const text = typeof value === "string" ? value : JSON.stringify(value)
    if (text !== undefined) await this.#kv.put(key, text, expirationTtlOf(ttl))
    return true
  }

  async setMany(
    entries: Array<{ readonly key: string; readonly value: unknown; readonly ttl?: number }>
  ): Promise<void> {
    await Promise.all(entries.map(({ key, ttl, value }) => this.set(key, value, ttl)))
  }

  /** Whether there was one: a read more than a delete. */
  async delete(key: string): Promise<boolean> {
    const existed = await this.has(key)
    if (existed) await this.#kv.delete(key)
    return existed
  }

  async deleteMany(keys: Array<string>): Promise<boolean> {
    return (await Promise.all(keys.map((key) => this.delete(key)))).some(Boolean)
  }

  async has(key: string): Promise<boolean> {
    return (await this.#kv.get(key)) !== null
  }

  async hasMany(keys: Array<string>): Promise<Array<boolean>> {
    return (await valuesOf(this.#kv, keys)).map((value) => value !== null)
  }

  async clear(): Promise<void> {
    await clearKeys(this.#kv, this.#prefix(this.namespace))
  }

  async *iterator<Value>(namespace?: string): AsyncGenerator<Array<string | Awaited<Value> | undefined>, void> {
    for await (const keys of namespaceKeys(this.#kv, this.#prefix(namespace))) {
      const values = await valuesOf(this.#kv, keys)
      for (const [at, key] of keys.entries()) yield [key, (values[at] ?? undefined) as Awaited<Value> | undefined]
    }
  }

  /** Keyv listens for errors; here they reject the call. */
  on(): this {
    return this
  }

  #prefix(namespace: string | undefined): string {
    return namespace === undefined ? "" : `${namespace}:`
  }
}
