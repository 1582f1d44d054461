import { DurableObject } from "cloudflare:workers"
import * as Effect from "effect/Effect"
import * as BudgetAccountStorage from "../layers/durable/BudgetAccountStorage.ts"
import * as ShardAlarm from "../layers/durable/internal/shardAlarm.ts"
import * as ShardHost from "../layers/durable/internal/shardHost.ts"
import type { Answer, Arguments, ShardMethod, ShardReply } from "../layers/durable/internal/shardProtocol.ts"
import * as ShardSqlite from "../layers/durable/ShardSqlite.ts"
import * as LimitsStorage from "../layers/limits/LimitsStorage.ts"
import * as ModeHeartbeatStorage from "../layers/migration/ModeHeartbeatStorage.ts"
import type { BudgetAccount } from "../services/budget/BudgetAccount.ts"
import type { Shard } from "../services/durable/Shard.ts"
import type { KvCounts } from "../services/ledger/Ledger.ts"
import type { Limits } from "../services/limits/Limits.ts"
import type { ModeHeartbeat, ModeHeartbeatError } from "../services/migration/ModeHeartbeat.ts"
import * as ObjectOperations from "./objectOperations.ts"

/** What an object is told when it is made. */
export interface ObjectOptions extends ShardAlarm.AlarmOptions {
  readonly operations: (
    ctx: DurableObjectState,
    env: object,
    shard: Shard["Type"]
  ) => ShardHost.ShardOperations | undefined
}

/** All objects write 24 snapshots a day. */
export const defaultOptions = (): ObjectOptions => ({
  everyMillis: 3_600_000,
  sweepRows: 1000,
  operations: ObjectOperations.make
})

type Replies = { readonly [M in ShardMethod]: (...args: Arguments<M>) => Promise<ShardReply<Answer<M>>> }

/** One shard of the cache: its SQLite, its alarm, and an RPC method for everything it can be asked. */
export class CacheDurableObject<Env = unknown> extends DurableObject<Env> implements Replies {
  readonly #host: ShardHost.OwnHost
  readonly #alarm: ReturnType<typeof ShardAlarm.make>
  readonly #heartbeat: ModeHeartbeat["Type"]
  readonly #account: BudgetAccount["Type"]
  readonly #limits: Limits["Type"]

  constructor(ctx: DurableObjectState, env: Env, options: ObjectOptions = defaultOptions()) {
    super(ctx, env)
    const { storage } = ctx
    const shard = ShardSqlite.make(storage.sql, (work) => storage.transactionSync(work))
    const operations: ShardHost.ShardOperations = {
      ...(options.operations(ctx, env as object, shard) ?? ShardHost.noOperations),
      goOn: Effect.suspend(() => this.#host.goOn)
    }
    this.#alarm = ShardAlarm.make(storage, shard, operations, options)
    this.#host = ShardHost.make(shard, { ...this.#alarm, operations })
    this.#heartbeat = ModeHeartbeatStorage.make(storage.kv)
    this.#account = BudgetAccountStorage.make(storage.kv)
    this.#limits = LimitsStorage.make(storage.kv)
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

  restore(...args: Arguments<"restore">) {
    return Effect.runPromise(this.#host.restore(...args))
  }

  /** Of the crons, in the first object. Whether it goes on. */
  async heartbeat(operation: ModeHeartbeatError["operation"]): Promise<boolean> {
    return (await Effect.runPromise<unknown, unknown>(this.#heartbeat[operation])) === true
  }

  /** Of all isolates and objects, in the first object: adds to what a UTC day's KV operations have come to, and tells. */
  async spend(day: number, spent: KvCounts): Promise<KvCounts> {
    return (await Effect.runPromise(this.#account.share(day, spent))).total
  }

  receive(...args: Arguments<"receive">) {
    return Effect.runPromise(this.#host.receive(...args))
  }

  reshard(...args: Arguments<"reshard">) {
    return Effect.runPromise(this.#host.reshard(...args))
  }

  /** Adds hits to the window of a key. */
  hit(...args: Parameters<Limits["Type"]["hit"]>) {
    return Effect.runPromise(this.#limits.hit(...args))
  }

  reset(...args: Parameters<Limits["Type"]["reset"]>) {
    return Effect.runPromise(this.#limits.reset(...args))
  }

  /** Adds to a counter, and tells its value. */
  add(...args: Parameters<Limits["Type"]["add"]>) {
    return Effect.runPromise(this.#limits.add(...args))
  }

  override alarm() {
    return Effect.runPromise(this.#alarm.ring)
  }
}
