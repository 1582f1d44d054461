import { BentoCache, bentostore } from "bentocache"
import { memoryDriver } from "bentocache/drivers/memory"
import { expirationTtlOf } from "../../src/entry/facade/namespaceKeys.ts"
import { type Isolate, over } from "./system.ts"

/** Its second tier, as its documentation asks for one. */
class BentoKv {
  readonly type = "l2" as const
  readonly #kv: KVNamespace
  readonly #prefix: string

  constructor(kv: KVNamespace, prefix = "") {
    this.#kv = kv
    this.#prefix = prefix
  }

  namespace(name: string) {
    return new BentoKv(this.#kv, `${this.#prefix}${name}:`)
  }

  async get(key: string) {
    return (await this.#kv.get(this.#prefix + key)) ?? undefined
  }

  async pull(key: string) {
    const found = await this.get(key)
    await this.delete(key)
    return found
  }

  /** @param ttl milliseconds */
  async set(key: string, value: string, ttl?: number) {
    await this.#kv.put(this.#prefix + key, value, expirationTtlOf(ttl))
    return true
  }

  async delete(key: string) {
    await this.#kv.delete(this.#prefix + key)
    return true
  }

  async deleteMany(keys: ReadonlyArray<string>) {
    await Promise.all(keys.map((key) => this.delete(key)))
    return true
  }

  async clear() {}

  async disconnect() {}
}

export const bentocache = (kv: KVNamespace): Isolate => {
  const cache = new BentoCache({
    default: "tiered",
    ttl: "5m",
    grace: "10m",
    stores: {
      tiered: bentostore()
        .useL1Layer(memoryDriver({ maxItems: 10_000 }))
        .useL2Layer({ options: {}, factory: () => new BentoKv(kv) } as never)
    }
  })
  return over(kv, {
    get: (key) => cache.get({ key }),
    put: (key, value) => cache.set({ key, value }),
    load: (key, factory) => cache.getOrSet({ key, factory })
  })
}
