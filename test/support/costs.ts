import { expect } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DurableCacheMemory from "../../src/layers/durable/DurableCacheMemory.ts"
import * as KvMemory from "../../src/layers/kv/KvMemory.ts"
import * as StoreDurable from "../../src/layers/routing/StoreDurable.ts"
import * as StoreKvPacked from "../../src/layers/routing/StoreKvPacked.ts"
import * as OutboxMemory from "../../src/layers/snapshots/OutboxMemory.ts"
import * as SnapshotsMemory from "../../src/layers/snapshots/SnapshotsMemory.ts"
import * as EdgeCacheMemory from "../../src/layers/tiers/EdgeCacheMemory.ts"
import { Kv } from "../../src/services/kv/Kv.ts"
import { Ledger, type LedgerTotals } from "../../src/services/ledger/Ledger.ts"
import { ReadPath } from "../../src/services/tiers/ReadPath.ts"
import { SingleFlight } from "../../src/services/tiers/SingleFlight.ts"
import { world } from "./worlds.ts"

/**
 * What an operation costs, by the names that tests call it by; what is 0 is left out, so that `{}` is free.
 *
 * - `reads`, `writes`, `deletes`, `lists`: KV keys that are billed. `calls`: of KV. `bytes`: of values put into KV.
 * - `rpcs`: requests to objects. `rowsRead`, `rowsWritten`: of their SQLite.
 * - `matches`, `puts`, `drops`: calls of the edge cache.
 * - `open`: leases and flights that are still held when it has ended.
 */
const names = [
  ...(["reads", "writes", "deletes", "lists", "calls", "bytes"] as const),
  ...(["rpcs", "rowsRead", "rowsWritten", "matches", "puts", "drops", "open"] as const)
]
export type Cost = { readonly [K in (typeof names)[number]]?: number }

/** Counts what the ledger does not: bytes, and what was opened and not closed. */
class Watch extends Context.Tag("Watch")<Watch, { bytes: number; leases: number }>() {}

const now = Effect.map(Effect.all([Ledger, Watch, SingleFlight]), ([ledger, watch, flights]) => {
  const { durableObject, edge, kv, kvCalls }: LedgerTotals = ledger.report().total
  return {
    ...kv,
    calls: kvCalls.reads + kvCalls.writes + kvCalls.deletes + kvCalls.lists,
    bytes: watch.bytes,
    rpcs: durableObject.requests,
    rowsRead: durableObject.rowsRead,
    rowsWritten: durableObject.rowsWritten,
    matches: edge.matches,
    puts: edge.puts,
    drops: edge.deletes,
    open: watch.leases + flights.inFlight()
  }
})

/** Runs the operation, which costs exactly this and leaves nothing open. */
export const costs = <A, E, R>(operation: Effect.Effect<A, E, R>, cost: Cost) =>
  Effect.gen(function* () {
    const before = yield* now
    const value = yield* operation
    const after = yield* now
    const spent = names.flatMap((name) => {
      const count = after[name] - (name === "open" ? 0 : before[name])
      return count === 0 ? [] : [[name, count] as const]
    })
    expect(Object.fromEntries(spent)).toStrictEqual(cost)
    return value
  })

const watched = () => {
  const watch = { bytes: 0, leases: 0 }
  const held = KvMemory.make()
  const kv: Kv["Type"] = {
    ...held,
    put: (key, value, options) =>
      Effect.suspend(() => {
        watch.bytes += value.byteLength
        return held.put(key, value, options)
      })
  }
  const readPath = (inner: ReadPath["Type"]): ReadPath["Type"] => ({
    ...inner,
    lease: (address, stamp) => {
      const lease = inner.lease(address, stamp)
      let isHeld = true
      watch.leases += 1
      return {
        ...lease,
        release: () => {
          if (isHeld) watch.leases -= 1
          isHeld = false
          lease.release()
        }
      }
    }
  })
  return Layer.effect(ReadPath, Effect.map(ReadPath, readPath)).pipe(
    Layer.provideMerge(world({ kv: Layer.succeed(Kv, kv), edge: EdgeCacheMemory.layer })),
    Layer.provideMerge(Layer.succeed(Watch, watch))
  )
}

/** One isolate with an edge cache, of either mode, whose costs are watched. */
export const costly = {
  kv: () => Layer.provideMerge(StoreKvPacked.layer, watched()),
  durable: () =>
    StoreDurable.layer.pipe(
      Layer.provideMerge(DurableCacheMemory.layer()),
      Layer.provideMerge(OutboxMemory.layer),
      Layer.provideMerge(SnapshotsMemory.layer),
      Layer.provideMerge(watched())
    )
}
