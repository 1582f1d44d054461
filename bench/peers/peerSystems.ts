import { PersistedCache } from "@effect/experimental"
import { cachified } from "@epic-web/cachified"
import { createCache, type DefaultStatefulContext, Namespace } from "@unkey/cache"
import { MemoryStore } from "@unkey/cache/stores"
import { createCache as createDeduping } from "async-cache-dedupe"
import { Cacheable } from "cacheable"
import { cloudflareKvCacheAdapter } from "cachified-adapter-cloudflare-kv"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PrimaryKey from "effect/PrimaryKey"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { BetterKV } from "flareutils"
import Keyv from "keyv"
import { composeStorage, createMemoryStorage, defineCachedFunction } from "ocache"
import { createStorage } from "unstorage"
import cloudflareKvDriver from "unstorage/drivers/cloudflare-kv-binding"
import { keyvStore } from "../../src/entry/adapters/keyv.ts"
import { layerResult } from "../../src/entry/adapters/persistence.ts"
import { expirationTtlOf } from "../../src/entry/facade/namespaceKeys.ts"
import { bentocache } from "./bentocache.ts"
import { makeLoaders } from "./loaders.ts"
import { makeBehind, over, type System, spaceOf } from "./system.ts"

const keyvOf = (kv: KVNamespace) => new Keyv({ store: keyvStore(kv) as never })

class PageKey extends Schema.TaggedRequest<PageKey>()("PageKey", {
  failure: Schema.Never,
  success: Schema.String,
  payload: { id: Schema.String }
}) {
  [PrimaryKey.symbol]() {
    return this.id
  }
}

/** Effect's PersistedCache reads through; what is put directly is its user's. */
const persisted: System = {
  name: "effect PersistedCache + KV",
  imports: `export { PersistedCache } from "@effect/experimental"`,
  open: async (kv) => {
    const loaders = makeLoaders()
    const scope = Effect.runSync(Scope.make())
    const made = PersistedCache.make({
      storeId: "p",
      lookup: (key: PageKey) => Effect.promise(() => loaders.run(key.id)),
      timeToLive: (_key: PageKey, exit: Exit.Exit<string, never>) => (Exit.isSuccess(exit) ? 300_000 : 0)
    } as never).pipe(Effect.provide(layerResult(kv)), Effect.provideService(Scope.Scope, scope))
    // Its own types do not take a request that cannot fail under exactOptionalPropertyTypes.
    const cache = (await Effect.runPromise(made as Effect.Effect<unknown>)) as {
      readonly get: (key: PageKey) => Effect.Effect<string>
    }
    const load = (key: string, run: () => Promise<string>) =>
      loaders.with(key, run, (id) => Effect.runPromise(cache.get(new PageKey({ id }))))
    return over(kv, {
      get: (key) => load(key, async () => (await kv.get(key)) ?? ""),
      put: (key, value) => kv.put(key, value),
      load
    })
  }
}

const unkeyStore = (kv: KVNamespace) => ({
  name: "kv",
  get: async (_namespace: string, key: string) => ({ val: (await kv.get(key, "json")) ?? undefined }),
  set: async (_namespace: string, key: string, entry: unknown) => ({ val: await kv.put(key, JSON.stringify(entry)) }),
  remove: async (_namespace: string, keys: string | Array<string>) => {
    await Promise.all([keys].flat().map((key) => kv.delete(key)))
    return { val: undefined }
  }
})

/** It keeps what a function gives in memory; the function asks KV. */
const deduping = (kv: KVNamespace) => {
  const loaders = makeLoaders()
  const cache = createDeduping({ ttl: 60, storage: { type: "memory" } })
    .define("page", (key: string) => kv.get(key))
    .define("loaded", async (key: string) => {
      const found = await kv.get(key)
      if (found !== null) return found
      const made = await loaders.run(key)
      await kv.put(key, made, { expirationTtl: 300 })
      return made
    })
  return over(kv, {
    get: (key) => cache.page(key),
    put: async (key, value) => {
      await kv.put(key, value)
      await cache.clear("page", key)
    },
    load: (key, load) => loaders.with(key, load, (id) => cache.loaded(id))
  })
}

const ocache = (kv: KVNamespace) => {
  const loaders = makeLoaders()
  const { settled, waitUntil } = makeBehind()
  const storage = {
    get: async <A>(key: string) => kv.get<A>(key, "json"),
    /** @param ttl seconds */
    set: (key: string, value: unknown, options?: { readonly ttl?: number }) =>
      value === null || value === undefined
        ? kv.delete(key)
        : kv.put(key, JSON.stringify(value), expirationTtlOf(options?.ttl && options.ttl * 1000))
  }
  const options = { getKey: (key: string) => key, waitUntil, maxAge: 60 }
  const page = defineCachedFunction((key: string) => kv.get(key), { ...options, storage: createMemoryStorage() })
  const loaded = defineCachedFunction((key: string) => loaders.run(key), {
    ...options,
    maxAge: 300,
    staleMaxAge: 600,
    storage: composeStorage([createMemoryStorage(), storage])
  })
  return over(kv, {
    get: (key) => page(key),
    put: async (key, value) => {
      await kv.put(key, value)
      await page.invalidate(key)
    },
    load: (key, load) => loaders.with(key, load, (id) => loaded(id)),
    settled
  })
}

const betterKv = (kv: KVNamespace, cacheSpace: string) => {
  const { settled, waitUntil } = makeBehind()
  const cache = new BetterKV(kv, waitUntil, { cacheSpace })
  return over(kv, {
    get: (key) => cache.get(key),
    put: (key, value) => cache.put(key, value),
    list: (prefix) => cache.list({ prefix }),
    settled
  })
}

export const peerSystems: ReadonlyArray<System> = [
  {
    name: "keyv + KV",
    imports: `export { default } from "keyv"`,
    open: (kv) => {
      const keyv = keyvOf(kv)
      return over(kv, {
        get: (key) => keyv.get(key),
        put: (key, value) => keyv.set(key, value),
        getMany: (keys) => keyv.get([...keys])
      })
    }
  },
  {
    name: "cacheable + KV",
    imports: `export { Cacheable } from "cacheable"`,
    open: (kv) => {
      const cache = new Cacheable({ secondary: keyvOf(kv) as never, ttl: 60_000 })
      return over(kv, {
        get: (key) => cache.get(key),
        put: (key, value) => cache.set(key, value),
        getMany: (keys) => cache.getMany([...keys]),
        load: (key, load) => cache.getOrSet(key, load)
      })
    }
  },
  {
    name: "unstorage + KV",
    imports: `export { createStorage } from "unstorage"; export { default } from "unstorage/drivers/cloudflare-kv-binding"`,
    open: (kv) => {
      const storage = createStorage({ driver: cloudflareKvDriver({ binding: kv as never }) })
      return over(kv, {
        get: (key) => storage.getItem(key),
        put: (key, value) => storage.setItem(key, value),
        getMany: (keys) => storage.getItems([...keys])
      })
    }
  },
  {
    name: "cachified + KV",
    imports: `export { cachified } from "@epic-web/cachified"; export { cloudflareKvCacheAdapter } from "cachified-adapter-cloudflare-kv"`,
    open: (kv) => {
      const cache = cloudflareKvCacheAdapter({ kv: kv as never })
      const load = (key: string, getFreshValue: () => Promise<string>) =>
        cachified({ cache: cache as never, key, ttl: 300_000, getFreshValue })
      return over(kv, {
        get: (key) => load(key, async () => (await kv.get(key)) ?? ""),
        put: (key, value) =>
          Promise.resolve(cache.set(key, { value, metadata: { createdTime: Date.now(), ttl: 300_000, swr: 0 } })),
        load
      })
    }
  },
  {
    name: "@unkey/cache + KV",
    imports: `export { createCache } from "@unkey/cache"; export { MemoryStore } from "@unkey/cache/stores"`,
    open: (kv) => {
      const stores = [new MemoryStore({ persistentMap: new Map() }), unkeyStore(kv)]
      const { settled, waitUntil } = makeBehind()
      const cache = createCache({
        page: new Namespace<string>({ waitUntil } as DefaultStatefulContext, {
          stores: stores as never,
          fresh: 60_000,
          stale: 300_000
        })
      })
      return over(kv, {
        get: async (key) => (await cache.page.get(key)).val,
        put: (key, value) => cache.page.set(key, value),
        load: async (key, load) => (await cache.page.swr(key, load)).val,
        settled
      })
    }
  },
  {
    name: "bentocache + KV",
    imports: `export { BentoCache, bentostore } from "bentocache"; export { memoryDriver } from "bentocache/drivers/memory"`,
    open: bentocache
  },
  {
    name: "async-cache-dedupe + KV",
    imports: `export { createCache } from "async-cache-dedupe"`,
    open: deduping
  },
  {
    name: "ocache + KV",
    imports: `export { composeStorage, createMemoryStorage, defineCachedFunction } from "ocache"`,
    open: ocache
  },
  {
    name: "flareutils BetterKV",
    imports: `export { BetterKV } from "flareutils"`,
    open: (kv) => betterKv(kv, spaceOf(kv)),
    edgeOnly: true
  },
  persisted
]
