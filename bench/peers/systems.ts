import { PersistedCache } from "@effect/experimental"
import { cachified } from "@epic-web/cachified"
import { createCache, type DefaultStatefulContext, Namespace } from "@unkey/cache"
import { MemoryStore } from "@unkey/cache/stores"
import { Cacheable } from "cacheable"
import { cloudflareKvCacheAdapter } from "cachified-adapter-cloudflare-kv"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PrimaryKey from "effect/PrimaryKey"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import Keyv from "keyv"
import { createStorage } from "unstorage"
import cloudflareKvDriver from "unstorage/drivers/cloudflare-kv-binding"
import { keyvStore } from "../../src/entry/adapters/keyv.ts"
import { layerResult } from "../../src/entry/adapters/persistence.ts"
import { makeFacades } from "../../src/entry/facade/namespace.ts"
import { counter } from "../../src/entry/limits/limits.ts"
import * as DurableCacheMemory from "../../src/layers/durable/DurableCacheMemory.ts"
import * as ShardMemory from "../../src/layers/durable/ShardMemory.ts"
import * as KvDurable from "../../src/layers/facade/KvDurable.ts"
import * as LedgerMemory from "../../src/layers/ledger/LedgerMemory.ts"
import type { FacadeOptions } from "../../src/services/facade/KvFacade.ts"

/** A system in one isolate, over a namespace that all isolates share. */
export interface Isolate {
  readonly get: (key: string) => Promise<unknown>
  readonly put: (key: string, value: string) => Promise<unknown>
  readonly load: (key: string, load: () => Promise<string>) => Promise<unknown>
  readonly getMany: (keys: ReadonlyArray<string>) => Promise<unknown>
  readonly list: (prefix: string) => Promise<unknown>
  readonly add: (key: string) => Promise<unknown>
  /** What is done behind answers. */
  readonly settled: () => Promise<unknown>
}

export interface System {
  readonly name: string
  /** What a Worker imports for it, to be bundled. */
  readonly imports: string
  readonly open: (kv: KVNamespace) => Isolate | Promise<Isolate>
  /** Dollars for what is no operation of KV, so far. */
  readonly otherUsd?: (kv: KVNamespace) => number
}

const none = async (): Promise<void> => {}

/** What a system does not have is done with the namespace itself, as its user would. */
const over = (kv: KVNamespace, own: Pick<Isolate, "get" | "put"> & Partial<Isolate>): Isolate => ({
  load: async (key, load) => {
    const found = await own.get(key)
    if (found !== null && found !== undefined) return found
    const made = await load()
    await own.put(key, made)
    return made
  },
  getMany: (keys) => Promise.all(keys.map((key) => own.get(key))),
  list: (prefix) => kv.list({ prefix }),
  add: async (key) => own.put(key, String(Number((await own.get(key)) ?? 0) + 1)),
  settled: none,
  ...own
})

/** One object, in the memory of this process, and what it costs. */
const objectsInMemory = () => {
  const ledger = LedgerMemory.make(0)
  return { ledger, cache: DurableCacheMemory.make([ShardMemory.make()], ledger) }
}

const larder = (name: string, imports: string, options: FacadeOptions, elsewhere = false): System => {
  const objects = new WeakMap<KVNamespace, ReturnType<typeof objectsInMemory>>()
  const storeOf = (kv: KVNamespace): FacadeOptions => {
    if (!elsewhere) return options
    const shared = objects.get(kv) ?? objectsInMemory()
    objects.set(kv, shared)
    const store = {
      kind: "durable" as const,
      in: () => store,
      open: ({ stamper }: { readonly stamper: Parameters<typeof KvDurable.make>[1] }) => ({
        kv: KvDurable.make(shared.cache, stamper, "KV"),
        binding: kv
      })
    }
    return { ...options, store }
  }
  return {
    name,
    imports,
    otherUsd: (kv) => objects.get(kv)?.ledger.report().usd.spent ?? 0,
    open: (kv) => {
      let pending: Array<Promise<unknown>> = []
      const context = { waitUntil: (promise: Promise<unknown>) => void pending.push(promise) }
      const facade = makeFacades(50_000_000).facadeOf(new Proxy(kv, {}), storeOf(kv))
      const namespace = facade.during(context)
      const hits = counter(kv, "hits", { context, flushAfter: 0.05 })
      return {
        get: (key) => namespace.get(key),
        put: (key, value) => namespace.put(key, value),
        load: (key, load) => facade.getOrLoad(context, key, load, { ttl: 300, graceFor: 600 }),
        getMany: (keys) => namespace.get([...keys]),
        list: (prefix) => namespace.list({ prefix }),
        add: (key) =>
          elsewhere
            ? namespace.get(key, { cacheTtl: 30 }).then((n) => namespace.put(key, String(Number(n ?? 0) + 1)))
            : hits.add(),
        settled: async () => {
          await facade.flush(context)
          while (pending.length > 0) {
            const waiting = pending
            pending = []
            await Promise.allSettled(waiting)
          }
        }
      }
    }
  }
}

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
    const loads = new Map<string, () => Promise<string>>()
    const scope = Effect.runSync(Scope.make())
    const made = PersistedCache.make({
      storeId: "p",
      lookup: (key: PageKey) => Effect.promise(() => loads.get(key.id)!()),
      timeToLive: (_key: PageKey, exit: Exit.Exit<string, never>) => (Exit.isSuccess(exit) ? 300_000 : 0)
    } as never).pipe(Effect.provide(layerResult(kv)), Effect.provideService(Scope.Scope, scope))
    // Its own types do not take a request that cannot fail under exactOptionalPropertyTypes.
    const cache = (await Effect.runPromise(made as Effect.Effect<unknown>)) as {
      readonly get: (key: PageKey) => Effect.Effect<string>
    }
    const load = (key: string, run: () => Promise<string>) => {
      loads.set(key, run)
      return Effect.runPromise(cache.get(new PageKey({ id: key })))
    }
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

export const systems: ReadonlyArray<System> = [
  {
    name: "direct KV",
    imports: "export {}",
    open: (kv) =>
      over(kv, {
        get: (key) => kv.get(key),
        put: (key, value) => kv.put(key, value),
        getMany: (keys) => kv.get([...keys])
      })
  },
  larder("larder facade", `export { withLarder } from "LARDER"`, {}),
  larder("larder facade, writes behind", `export { withLarder } from "LARDER"`, { write: "behind", flushAfter: 0.2 }),
  larder("larder durable", `export { withLarder } from "LARDER"; export { durable } from "DURABLE"`, {}, true),
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
      const context = { waitUntil: (promise: Promise<unknown>) => void promise.catch(() => {}) }
      const cache = createCache({
        page: new Namespace<string>(context as DefaultStatefulContext, {
          stores: stores as never,
          fresh: 60_000,
          stale: 300_000
        })
      })
      return over(kv, {
        get: async (key) => (await cache.page.get(key)).val,
        put: (key, value) => cache.page.set(key, value),
        load: async (key, load) => (await cache.page.swr(key, load)).val
      })
    }
  },
  persisted
]
