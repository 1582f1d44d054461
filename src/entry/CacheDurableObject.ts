import { DurableObject } from "cloudflare:workers"
import * as Effect from "effect/Effect"
import * as ShardAlarm from "../layers/internal/shardAlarm.ts"
import * as ShardHost from "../layers/internal/shardHost.ts"
import type { Answer, Arguments, ShardMethod, ShardReply } from "../layers/internal/shardProtocol.ts"
import * as ShardSqlite from "../layers/ShardSqlite.ts"
import type { Shard } from "../services/Shard.ts"
import * as ObjectOperations from "./objectOperations.ts"

/** What an object is told when it is made. */
export interface ObjectOptions extends ShardAlarm.AlarmOptions {
  readonly operations: (
    ctx: DurableObjectState,
    env: object,
    shard: Shard["Type"]
  ) => ShardHost.ShardOperations | undefined
}

/** A snapshot an hour for each shard there is, so that all of them write 24 a day. */
export const defaultOptions = (env: object): ObjectOptions => ({
  everyMillis: 3_600_000 * ObjectOperations.shardsOf(env),
  sweepRows: 1000,
  operations: ObjectOperations.make
})

type Replies = { readonly [M in ShardMethod]: (...args: Arguments<M>) => Promise<ShardReply<Answer<M>>> }

/** One shard of the cache: its SQLite, its alarm, and an RPC method for everything it can be asked. */
export class CacheDurableObject<Env = unknown> extends DurableObject<Env> implements Replies {
  readonly #host: ShardHost.ShardHost
  readonly #alarm: ReturnType<typeof ShardAlarm.make>

  constructor(ctx: DurableObjectState, env: Env, options: ObjectOptions = defaultOptions(env as object)) {
    super(ctx, env)
    const { storage } = ctx
    const shard = ShardSqlite.make(storage.sql, (work) => storage.transactionSync(work))
    const operations = options.operations(ctx, env as object, shard) ?? ShardHost.noOperations
    this.#alarm = ShardAlarm.make(storage, shard, operations, options)
    this.#host = ShardHost.make(shard, { ...this.#alarm, operations })
    ctx.blockConcurrencyWhile(() => Effect.runPromise(this.#alarm.begin))
  }

  getMany(...args: Arguments<"getMany">) {
    return Effect.runPromise(this.#host.getMany(...args))
  }

  apply(...args: Arguments<"apply">) {
    return Effect.runPromise(this.#host.apply(...args))
  }

  invalidateTags(...args: Arguments<"invalidateTags">) {
    return Effect.runPromise(this.#host.invalidateTags(...args))
  }

  lease(...args: Arguments<"lease">) {
    return Effect.runPromise(this.#host.lease(...args))
  }

  release(...args: Arguments<"release">) {
    return Effect.runPromise(this.#host.release(...args))
  }

  list(...args: Arguments<"list">) {
    return Effect.runPromise(this.#host.list(...args))
  }

  clear(...args: Arguments<"clear">) {
    return Effect.runPromise(this.#host.clear(...args))
  }

  stats() {
    return Effect.runPromise(this.#host.stats())
  }

  flush() {
    return Effect.runPromise(this.#host.flush())
  }

  restore() {
    return Effect.runPromise(this.#host.restore())
  }

  override alarm() {
    return Effect.runPromise(this.#alarm.ring)
  }
}
