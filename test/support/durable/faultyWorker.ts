import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as App from "../../../src/entry/app.ts"
import * as BackgroundWorker from "../../../src/layers/base/BackgroundWorker.ts"
import { Background } from "../../../src/services/base/Background.ts"
import { Settings } from "../../../src/services/settings/Settings.ts"
import { Store } from "../../../src/services/store/Store.ts"
import * as Isolates from "../isolates.ts"

export { CacheDurableObject } from "./wiredWorker.ts"

/** What stands between this isolate and the objects. */
interface Faults {
  /** Objects that cannot be reached. */
  away: ReadonlyArray<string>
  /** RPCs to come that fail with an error that the platform calls retryable. */
  retryable: number
  /** Bytes a second that RPCs carry; 0 for as many as they like. */
  bytesPerSecond: number
  /** Milliseconds that every operation of CACHE_KV takes more. */
  kvMillis: number
  /** Keys of CACHE_KV that it never answers for. */
  silentKeys: ReadonlyArray<string>
}

const sound: Faults = { away: [], retryable: 0, bytesPerSecond: 0, kvMillis: 0, silentKeys: [] }

/**
 * The product as it is wired, with faults in its bindings. Beside the API: `PUT /faults` sets them, of `Faults` those that
 * are named and the others sound, and tells what was counted since: RPCs by method, and keys put into the objects' KV.
 * `/load/{collection}/{key}` reads through a loader.
 */
let faults = sound
let rpcs: Record<string, number> = {}
let puts: Array<string> = []

const bytesIn = (what: unknown): number => {
  if (what instanceof Uint8Array) return what.byteLength
  if (typeof what !== "object" || what === null) return 0
  return Object.values(what).reduce((sum: number, part) => sum + bytesIn(part), 0)
}

const carry = (what: unknown) =>
  faults.bytesPerSecond === 0
    ? undefined
    : new Promise((resolve) => setTimeout(resolve, (1000 * bytesIn(what)) / faults.bytesPerSecond))

const stubOf = (namespace: DurableObjectNamespace, name: string) =>
  new Proxy(
    {},
    {
      get:
        (_, method: string) =>
        async (...args: ReadonlyArray<unknown>) => {
          const asked = method === "carrying" ? String(args[1] ?? method) : method
          rpcs[asked] = (rpcs[asked] ?? 0) + 1
          if (faults.away.includes(name)) throw new Error("Network connection lost.")
          if (faults.retryable > 0) {
            faults.retryable -= 1
            throw Object.assign(new Error("Durable Object reset because its code was updated."), { retryable: true })
          }
          await carry(args)
          const stub = namespace.getByName(name) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
          const reply = await stub[method]!(...args)
          await carry(reply)
          return reply
        }
    }
  )

const slowed = (namespace: KVNamespace) =>
  new Proxy(namespace, {
    get: (target, name) => {
      const member = (Reflect.get(target, name) as (...args: ReadonlyArray<unknown>) => unknown).bind(target)
      return async (...args: ReadonlyArray<unknown>) => {
        if (faults.kvMillis > 0) await new Promise((resolve) => setTimeout(resolve, faults.kvMillis))
        if (faults.silentKeys.includes(String(args[0]))) await new Promise(() => {})
        return member(...args)
      }
    }
  })

const wired = (env: App.Env): App.Env => ({
  ...env,
  CACHE_KV: slowed(env.CACHE_KV!),
  CACHE_DO: { getByName: (name: string) => stubOf(env.CACHE_DO!, name) } as unknown as DurableObjectNamespace,
  CACHE_DO_KV: new Proxy(env.CACHE_DO_KV!, {
    get: (target, name) => {
      const member = (Reflect.get(target, name) as (...args: ReadonlyArray<unknown>) => unknown).bind(target)
      if (name !== "put") return member
      return (key: string, ...rest: ReadonlyArray<unknown>) => {
        puts.push(key)
        return member(key, ...rest)
      }
    }
  })
})

const makeIsolate = (given: App.Env) => {
  const env = wired(given)
  return { env, runtime: ManagedRuntime.make(App.layer(env, [])) }
}

const isolates = new WeakMap<App.Env, ReturnType<typeof makeIsolate>>()

const isolateOf = (given: App.Env) => {
  const isolate = isolates.get(given) ?? makeIsolate(given)
  isolates.set(given, isolate)
  return isolate
}

const load = (name: string, key: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    const collection = (yield* Settings).collections.get(name)!
    const loader = Effect.succeed(Option.some({ value: new TextEncoder().encode("loaded") }))
    const { entry, tier } = yield* store.getOrLoad(collection, key, loader)
    return Response.json({ value: entry && new TextDecoder().decode(entry.value), tier })
  })

export default {
  async fetch(request, given, context): Promise<Response> {
    const { env, runtime } = isolateOf(given)
    const [, verb = "", name = "", key = ""] = new URL(request.url).pathname.split("/")
    if (verb === "faults") {
      const counted = { rpcs, puts }
      faults = { ...sound, ...((await request.json()) as Partial<Faults>) }
      rpcs = {}
      puts = []
      return Response.json(counted)
    }
    return verb === "load"
      ? runtime.runPromise(Effect.provideService(load(name, key), Background, BackgroundWorker.make(context)))
      : Isolates.serve(env)(request, context)
  }
} satisfies ExportedHandler<App.Env>
