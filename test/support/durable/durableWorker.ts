import { DurableObject } from "cloudflare:workers"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { CacheDurableObject, defaultOptions } from "../../../src/entry/CacheDurableObject.ts"
import * as DurableCacheBinding from "../../../src/layers/durable/DurableCacheBinding.ts"
import { placeIn } from "../../../src/layers/durable/object/shardProtocol.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { type DurableCache, DurableCacheError } from "../../../src/services/durable/DurableCache.ts"
import { type MonitorService, off } from "../../../src/services/monitoring/Monitor.ts"
import { noFigures } from "../../../src/services/monitoring/model/Figures.ts"
import { largeValues } from "../snapshots/largeValues.ts"
import { operationsOf } from "./shardOperations.ts"
import { decode, encode } from "./wire.ts"

interface Env {
  readonly CACHE_DO: DurableObjectNamespace
  readonly QUICK: DurableObjectNamespace
  readonly BROKEN: DurableObjectNamespace
}

export class TestObject extends CacheDurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, { ...defaultOptions(), operations: (_, __, shard) => operationsOf(shard) })
  }

  whoAmI() {
    return placeIn(this.env.CACHE_DO, this.ctx.id)
  }
}

/** Its alarm fires at once. */
export class QuickObject extends CacheDurableObject {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env, { everyMillis: 20, sweepRows: 5, operations: (_, __, shard) => operationsOf(shard) })
  }
}

/** Throws what is asked for by the id. */
export class BrokenObject extends DurableObject {
  getMany([id]: ReadonlyArray<string>) {
    if (id === "abort") this.ctx.abort("the object is gone")
    throw Object.assign(new Error("broken"), id === "overloaded" ? { overloaded: true } : { retryable: true })
  }
}

/** Wants to tell the first object something with every call; the classes here keep no figures. */
const eager: MonitorService = {
  ...off,
  next: () => ({ isolate: "one", sequence: 1, base: 0, settings: 0, figures: noFigures })
}

/** `POST /{method}?object=&shards=&space=` with the arguments as the body: one request, one call of the cache. */
export default {
  async fetch(request, env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const namespace = env[(searchParams.get("object") ?? "CACHE_DO") as keyof Env]
    if (pathname === "/whoami") {
      const object = (name: string) => namespace.getByName(name) as unknown as TestObject
      const whoAre = ["shard-2", "shard-3.40", "shard-0.1"].map((name) => object(name).whoAmI())
      return Response.json((await Promise.all(whoAre)).map((place) => place ?? "none"))
    }
    const ledger = LedgerMemory.make(0)
    const cache = DurableCacheBinding.make(
      { getByName: (name) => namespace.getByName(`${searchParams.get("space")}${name}`) },
      Number(searchParams.get("shards")),
      ledger,
      undefined,
      eager
    )
    const args = decode(await request.text()) as Array<never>
    const exit = await Effect.runPromise(
      Effect.match(called(cache, pathname.slice(1), args), {
        onSuccess: (answer) => ({ _tag: "Right", right: Array.isArray(answer) ? answer.map(plain) : answer }),
        onFailure: (error) => ({ _tag: "Left", left: plain(error) })
      })
    )
    return new Response(encode({ exit, billed: ledger.report().total.durableObject }))
  }
} satisfies ExportedHandler<Env>

const plain = (item: unknown): unknown =>
  item instanceof DurableCacheError
    ? { operation: item.operation, reason: item.reason, cause: String(item.cause) }
    : item

const called = (cache: DurableCache["Type"], method: string, args: Array<never>): Effect.Effect<unknown, unknown> => {
  if (method === "largeValues") return largeValues(cache)
  if (method === "lease") return cache.lease(args[0]!, Duration.millis(args[1]!))
  const member = cache[method as keyof typeof cache]
  return typeof member === "function"
    ? (member as (...args: Array<never>) => Effect.Effect<unknown, unknown>)(...args)
    : (member as Effect.Effect<unknown, unknown>)
}
