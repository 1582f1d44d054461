import { DurableObject } from "cloudflare:workers"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as LoggerJson from "../layers/base/LoggerJson.ts"
import * as BudgetAccountStorage from "../layers/durable/BudgetAccountStorage.ts"
import * as MeteredStorage from "../layers/durable/object/meteredStorage.ts"
import * as ShardAlarm from "../layers/durable/object/shardAlarm.ts"
import * as ShardHost from "../layers/durable/object/shardHost.ts"
import type { Answer, Arguments, Billed, ShardMethod, ShardReply } from "../layers/durable/object/shardProtocol.ts"
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
    shard: Shard["Type"],
    storage: MeteredStorage.MeteredStorage
  ) => ShardHost.ShardOperations | undefined
}

/** All objects write 24 snapshots a day. */
export const defaultOptions = (): ObjectOptions => ({
  everyMillis: 3_600_000,
  sweepRows: 1000,
  operations: ObjectOperations.make
})

type Replies = { readonly [M in ShardMethod]: (...args: Arguments<M>) => Promise<ShardReply<Answer<M>>> }

const run = Runtime.runPromise(LoggerJson.runtime)

/** One shard of the cache: its SQLite, its alarm, and an RPC method for everything it can be asked. */
export class CacheDurableObject<Env = unknown> extends DurableObject<Env> implements Replies {
  protected readonly stored: MeteredStorage.MeteredStorage
  readonly #host: ShardHost.OwnHost
  readonly #alarm: ReturnType<typeof ShardAlarm.make>
  readonly #heartbeat: ModeHeartbeat["Type"]
  readonly #account: BudgetAccount["Type"]
  readonly #limits: Limits["Type"]
  /** Its log names the object. */
  readonly #run: <A, E>(work: Effect.Effect<A, E>) => Promise<A>

  constructor(ctx: DurableObjectState, env: Env, options: ObjectOptions = defaultOptions()) {
    super(ctx, env)
    const { storage } = ctx
    const object = ctx.id.name ?? ctx.id.toString()
    this.#run = (work) => run(Effect.annotateLogs(work, { object }))
    this.stored = MeteredStorage.make(storage)
    const sqlite = ShardSqlite.make(storage.sql, (work) => storage.transactionSync(work))
    const shard = MeteredStorage.withStorage(sqlite, this.stored)
    const operations: ShardHost.ShardOperations = {
      ...(options.operations(ctx, env as object, shard, this.stored) ?? ShardHost.noOperations),
      goOn: Effect.suspend(() => this.#host.goOn)
    }
    this.#alarm = ShardAlarm.make(storage, shard, operations, options)
    this.#host = ShardHost.make(shard, { ...this.#alarm, operations })
    this.#heartbeat = ModeHeartbeatStorage.make(this.stored.kv)
    this.#account = BudgetAccountStorage.make(this.stored.kv)
    this.#limits = LimitsStorage.make(this.stored.kv)
    ctx.blockConcurrencyWhile(() => this.#run(this.#alarm.begin))
  }

  /** What it has cost since the last reply that told so. */
  protected billed(): Billed {
    return this.#host.billed()
  }

  getMany(...args: Arguments<"getMany">) {
    return this.#run(this.#host.getMany(...args))
  }

  apply(...args: Arguments<"apply">) {
    return this.#run(this.#host.apply(...args))
  }

  invalidateTags(...args: Arguments<"invalidateTags">) {
    return this.#run(this.#host.invalidateTags(...args))
  }

  lease(...args: Arguments<"lease">) {
    return this.#run(this.#host.lease(...args))
  }

  release(...args: Arguments<"release">) {
    return this.#run(this.#host.release(...args))
  }

  list(...args: Arguments<"list">) {
    return this.#run(this.#host.list(...args))
  }

  clear(...args: Arguments<"clear">) {
    return this.#run(this.#host.clear(...args))
  }

  stats() {
    return this.#run(this.#host.stats())
  }

  flush() {
    return this.#run(this.#host.flush())
  }

  restore(...args: Arguments<"restore">) {
    return this.#run(this.#host.restore(...args))
  }

  /** Of the crons, in the first object. Whether it goes on. */
  async heartbeat(operation: ModeHeartbeatError["operation"]): Promise<boolean> {
    return (await this.#run<unknown, unknown>(this.#heartbeat[operation])) === true
  }

  /** Of all isolates and objects, in the first object: adds to what a UTC day's KV operations have come to, and tells. */
  async spend(day: number, spent: KvCounts): Promise<KvCounts> {
    return (await this.#run(this.#account.share(day, spent))).total
  }

  receive(...args: Arguments<"receive">) {
    return this.#run(this.#host.receive(...args))
  }

  reshard(...args: Arguments<"reshard">) {
    return this.#run(this.#host.reshard(...args))
  }

  /** Adds hits to the window of a key. */
  hit(...args: Parameters<Limits["Type"]["hit"]>) {
    return this.#run(this.#limits.hit(...args))
  }

  reset(...args: Parameters<Limits["Type"]["reset"]>) {
    return this.#run(this.#limits.reset(...args))
  }

  /** Adds to a counter, and tells its value. */
  add(...args: Parameters<Limits["Type"]["add"]>) {
    return this.#run(this.#limits.add(...args))
  }

  override alarm() {
    return this.#run(this.#alarm.fire)
  }
}
