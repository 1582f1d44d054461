import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as AdoptedNamesSqlite from "../layers/AdoptedNamesSqlite.ts"
import * as DurableCacheBinding from "../layers/DurableCacheBinding.ts"
import type { ShardOperations } from "../layers/internal/shardHost.ts"
import { nameIn, objectName } from "../layers/internal/shardProtocol.ts"
import * as KvBinding from "../layers/KvBinding.ts"
import * as KvMetered from "../layers/KvMetered.ts"
import * as KvRetrying from "../layers/KvRetrying.ts"
import * as LedgerMemory from "../layers/LedgerMemory.ts"
import * as OutboxKv from "../layers/OutboxKv.ts"
import * as RetryPolicyCron from "../layers/RetryPolicyCron.ts"
import * as SnapshotsKv from "../layers/SnapshotsKv.ts"
import * as FlushShard from "../programs/flushShard.ts"
import * as RestoreShard from "../programs/restoreShard.ts"
import * as SweepOutbox from "../programs/sweepOutbox.ts"
import { DurableCache, DurableCacheError } from "../services/DurableCache.ts"
import { Ledger } from "../services/Ledger.ts"
import { Shard, type ShardWrite, shardOf } from "../services/Shard.ts"

/** How often the first shard looks for writes that were kept outside. One billed list each. */
const sweepMillis = 4 * 3_600_000

interface ObjectEnv {
  readonly CACHE_DO?: DurableObjectNamespace
  readonly CACHE_DO_KV?: KVNamespace
  readonly SHARDS?: string
}

/** The setting `SHARDS`, as the objects read it. */
export const shardsOf = (env: ObjectEnv): number => Number(env.SHARDS ?? 1)

/** Brings writes to their shards; fails when any of them did not arrive, so that their name is swept again. */
const adopt = (writes: ReadonlyArray<ShardWrite>) =>
  Effect.flatMap(DurableCache, (durable) =>
    Effect.flatMap(durable.apply(writes), (results) => {
      const failed = results.find((result) => result instanceof DurableCacheError)
      return failed === undefined ? Effect.void : Effect.fail(failed)
    })
  )

const layer = (
  ctx: DurableObjectState,
  shard: Shard["Type"],
  namespace: DurableObjectNamespace,
  kv: KVNamespace,
  shards: number
) =>
  Layer.mergeAll(
    OutboxKv.layer,
    SnapshotsKv.layer,
    DurableCacheBinding.layer(namespace, shards),
    AdoptedNamesSqlite.layer(ctx.storage.sql),
    Layer.succeed(Shard, shard)
  ).pipe(
    Layer.provide(KvRetrying.layer),
    Layer.provide(RetryPolicyCron.layer),
    Layer.provide(KvMetered.layer("CACHE_DO_KV")),
    Layer.provide(KvBinding.layer(kv)),
    Layer.provideMerge(LedgerMemory.layer)
  )

/**
 * What a shard's object does beyond its own storage, or undefined without the bindings for it: snapshots and outbox in
 * KV. The first shard sweeps the outbox for all of them.
 */
export const make = (ctx: DurableObjectState, env: ObjectEnv, shard: Shard["Type"]): ShardOperations | undefined => {
  const { CACHE_DO, CACHE_DO_KV } = env
  if (CACHE_DO === undefined || CACHE_DO_KV === undefined) return undefined
  const shards = shardsOf(env)
  const name = nameIn(CACHE_DO, ctx.id, shards)
  if (name === undefined) return undefined
  const runtime = ManagedRuntime.make(layer(ctx, shard, CACHE_DO, CACHE_DO_KV, shards))
  const programs = Effect.all({
    flush: FlushShard.make(name),
    restore: RestoreShard.make(name, (id) => objectName(shardOf(id, shards)) === name),
    sweep: SweepOutbox.make(adopt)
  })
  const built = Effect.runSync(Effect.cached(Effect.provide(programs, runtime)))
  const sweepIfDue = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (now - (ctx.storage.kv.get<number>("sweptAt") ?? 0) < sweepMillis) return Effect.void
    return Effect.zipLeft(
      Effect.flatMap(built, ({ sweep }) => Effect.provide(sweep, runtime)),
      Effect.sync(() => ctx.storage.kv.put("sweptAt", now))
    )
  })
  const restore = Effect.flatMap(built, (programs) => programs.restore)
  return {
    flush: Effect.flatMap(built, ({ flush }) => flush),
    restore,
    awaken: Effect.suspend(() =>
      ctx.storage.kv.get("awake") === true
        ? Effect.void
        : Effect.zipLeft(
            restore,
            Effect.sync(() => ctx.storage.kv.put("awake", true))
          )
    ),
    kvSpent: () => {
      const { kv, kvCalls } = Effect.runSync(
        Effect.map(Effect.provide(Ledger, runtime), (ledger) => ledger.report().total)
      )
      return { billed: kv, calls: kvCalls }
    },
    ...(name === objectName(0) ? { adopt: { everyMillis: sweepMillis, run: sweepIfDue } } : {})
  }
}
