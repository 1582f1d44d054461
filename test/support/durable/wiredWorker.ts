import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as App from "../../../src/entry/app.ts"
import { MonitoredCacheObject as Wired } from "../../../src/entry/monitoring/MonitoredCacheObject.ts"
import * as BackgroundWorker from "../../../src/layers/base/BackgroundWorker.ts"
import { Background } from "../../../src/services/base/Background.ts"
import { DurableCache } from "../../../src/services/durable/DurableCache.ts"
import { Settings } from "../../../src/services/settings/Settings.ts"
import { type Lookup, Store } from "../../../src/services/store/Store.ts"
import * as Isolates from "../isolates.ts"

/**
 * The product as it is wired, with a handle on what a platform does to it. Beside the API:
 * `/read/{collection}/{key}?later=` reads with a clock that is so
 * many milliseconds ahead; `/load/{collection}/{key}?as=&ms=` reads through a loader; `/overload?on=` makes every object refuse this isolate;
 * `/unreadable?on=` lets the objects write to KV and not read it; `/stats` are the objects'; `/fire`, `/evict` and `/destroy?shard=` fire an object's alarm, end it, and end it with its disk.
 */
export class CacheDurableObject extends Wired<App.Env> {
  constructor(ctx: DurableObjectState, env: App.Env) {
    super(ctx, { ...env, ...(env.CACHE_DO_KV !== undefined && { CACHE_DO_KV: unreadable(env.CACHE_DO_KV) }) })
  }

  /** @param due as if the last look for outside writes were hours ago */
  fire(due: boolean): Promise<void> {
    if (due) this.ctx.storage.kv.delete("sweptAt")
    return this.alarm()
  }

  evict(): void {
    this.ctx.abort("evicted")
  }

  async destroy(): Promise<void> {
    await this.ctx.storage.deleteAll()
    await this.ctx.storage.sync()
    this.ctx.abort("destroyed")
  }
}

/** Whether the objects' namespace refuses to be read, while it is still written to. */
let kvIsUnreadable = false

const unreadable = (kv: KVNamespace): KVNamespace =>
  new Proxy(kv, {
    get: (target, name) =>
      kvIsUnreadable && (name === "get" || name === "getWithMetadata" || name === "list")
        ? async () => {
            throw new Error("KV GET failed: 500 Internal Server Error")
          }
        : (Reflect.get(target, name) as (...args: Array<unknown>) => unknown).bind(target)
  })

let overloaded = false
let calls = 0
let loads = 0

/** Refuses as the platform does, and counts what it refused. */
const refusing = new Proxy(
  {},
  {
    get: () => async () => {
      calls += 1
      throw Object.assign(new Error("Durable Object is overloaded. Too many requests queued."), { overloaded: true })
    }
  }
)

const wiredEnv = (env: App.Env): App.Env => {
  const { CACHE_DO } = env
  if (CACHE_DO === undefined) return env
  const namespace = new Proxy(CACHE_DO, {
    get: (target, name) =>
      name === "getByName" && overloaded
        ? () => refusing
        : (Reflect.get(target, name) as (...args: Array<unknown>) => unknown).bind(target)
  })
  return { ...env, CACHE_DO: namespace }
}

const makeIsolate = (given: App.Env) => {
  const env = wiredEnv(given)
  return { env, runtime: ManagedRuntime.make(App.layer(env, [])) }
}

const isolates = new WeakMap<App.Env, ReturnType<typeof makeIsolate>>()

const isolateOf = (given: App.Env) => {
  const isolate = isolates.get(given) ?? makeIsolate(given)
  isolates.set(given, isolate)
  return isolate
}

const told = ({ entry, tier }: Lookup, ran = false) =>
  Response.json({ value: entry && new TextDecoder().decode(entry.value), tier, ran })

const program = (url: URL) =>
  Effect.gen(function* () {
    const [, verb = "", name = "", key = ""] = url.pathname.split("/")
    const store = yield* Store
    const collection = (yield* Settings).collections.get(name)!
    if (verb === "stats") return Response.json((yield* (yield* DurableCache).stats).shards)
    if (verb === "read") return told(yield* store.get(collection, key))
    let ran = false
    const loader = Effect.suspend(() => {
      ran = true
      loads += 1
      const value = new TextEncoder().encode(url.searchParams.get("as") ?? "loaded")
      return Effect.delay(Effect.succeed(Option.some({ value })), Number(url.searchParams.get("ms")))
    })
    return told(yield* store.getOrLoad(collection, key, loader), ran)
  })

/** A clock that is ahead. */
const ahead = (clock: Clock.Clock, millis: number): Clock.Clock =>
  Object.assign(Object.create(clock), {
    unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + millis,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis)
  })

export default {
  async fetch(request, given, context): Promise<Response> {
    const { env, runtime } = isolateOf(given)
    const url = new URL(request.url)
    const verb = url.pathname.split("/")[1]
    const object = () =>
      given.CACHE_DO!.getByName(`shard-${url.searchParams.get("shard") ?? 0}`) as unknown as CacheDurableObject
    switch (verb) {
      case "load":
      case "read":
      case "stats":
        return runtime.runPromise(
          Effect.flatMap(Effect.clock, (clock) =>
            program(url).pipe(
              Effect.withClock(ahead(clock, Number(url.searchParams.get("later")))),
              Effect.provideService(Background, BackgroundWorker.make(context))
            )
          )
        )
      case "overload":
        overloaded = url.searchParams.get("on") === "true"
        return Response.json({ calls, loads })
      case "unreadable":
        kvIsUnreadable = url.searchParams.get("on") === "true"
        return new Response()
      case "fire":
        await object().fire(url.searchParams.has("due"))
        return new Response()
      case "evict":
      case "destroy":
        await Promise.resolve(object()[verb]()).catch(() => undefined)
        return new Response()
      default:
        return Isolates.serve(env)(request, context)
    }
  },
  scheduled: ({ cron }, given, context) => Isolates.fire(isolateOf(given).env)(cron, context)
} satisfies ExportedHandler<App.Env>
