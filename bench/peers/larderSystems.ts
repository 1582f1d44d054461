import { makeFacades } from "../../src/entry/facade/namespace.ts"
import { counter } from "../../src/entry/limits/limits.ts"
import * as DurableCacheMemory from "../../src/layers/durable/DurableCacheMemory.ts"
import * as ShardMemory from "../../src/layers/durable/ShardMemory.ts"
import * as KvDurable from "../../src/layers/facade/KvDurable.ts"
import * as LedgerMemory from "../../src/layers/ledger/LedgerMemory.ts"
import type { FacadeOptions } from "../../src/services/facade/KvFacade.ts"
import { makeBehind, type System, spaceOf } from "./system.ts"

/** One object, in the memory of this process, and what it costs. */
const objectsInMemory = () => {
  const ledger = LedgerMemory.make(0)
  return { ledger, cache: DurableCacheMemory.make([ShardMemory.make()], ledger) }
}

const larder = (name: string, imports: string, options: FacadeOptions, elsewhere = false): System => {
  const objects = new WeakMap<KVNamespace, ReturnType<typeof objectsInMemory>>()
  const storeOf = (kv: KVNamespace): FacadeOptions => {
    if (options.edge !== undefined) return { ...options, edge: spaceOf(kv) }
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
      const { settled, waitUntil } = makeBehind()
      const context = { waitUntil }
      const facade = makeFacades(50_000_000).facadeOf(new Proxy(kv, {}), storeOf(kv))
      let namespace = facade.during(context)
      let calls = 0
      /** An event of the platform makes some calls, and what it may ask of the edge cache is bounded. */
      const inEvent = (): KVNamespace => {
        if (++calls % 20 === 0) namespace = facade.during(context)
        return namespace
      }
      const hits = counter(kv, "hits", { context, flushAfter: 0.05 })
      return {
        get: (key) => inEvent().get(key),
        put: (key, value) => inEvent().put(key, value),
        load: (key, load) => facade.getOrLoad(context, key, load, { ttl: 300, graceFor: 600 }),
        getMany: (keys) => inEvent().get([...keys]),
        list: (prefix) => inEvent().list({ prefix }),
        add: (key) =>
          elsewhere
            ? inEvent()
                .get(key, { cacheTtl: 30 })
                .then((n) => inEvent().put(key, String(Number(n ?? 0) + 1)))
            : hits.add(),
        settled: async () => {
          await facade.flush(context)
          await settled()
        }
      }
    }
  }
}

export const larderSystems: ReadonlyArray<System> = [
  larder("larder facade", `export { withLarder } from "LARDER"`, {}),
  larder("larder facade, edge on", `export { withLarder } from "LARDER"`, { edge: "namespace" }),
  larder("larder facade, writes behind", `export { withLarder } from "LARDER"`, { write: "behind", flushAfter: 0.2 }),
  larder("larder durable", `export { withLarder } from "LARDER"; export { durable } from "DURABLE"`, {}, true)
]
