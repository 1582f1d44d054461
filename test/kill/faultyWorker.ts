import type { Env } from "../../src/entry/app.ts"
import { CacheDurableObject as Product } from "../../src/entry/CacheDurableObject.ts"
import worker from "../../src/entry/worker.ts"

/**
 * What KV does with operations of one kind. `limit`, `storm`, `broken`: it refuses them with the day's limit, 429 or 500.
 * `lost`: they take effect, and the reply is an error.
 */
export type Fault = "limit" | "storm" | "broken" | "lost"

export type Kind = "get" | "put" | "delete" | "list"

export type Faults = { readonly [K in Kind]?: Fault }

/**
 * The product, whose objects and isolate have a KV that fails as `PUT /kv-faults` says, and from the start as the
 * variable `KV_FAULTS` says; `/destroy?shard=` ends an object with its disk.
 */
let faults: Faults | undefined

const errors: { readonly [F in Fault]: string } = {
  limit: "limit exceeded for the day.",
  storm: "429 Too Many Requests",
  broken: "500 Internal Server Error",
  lost: "503 Service Unavailable"
}

const kinds: Record<string, Kind> = {
  get: "get",
  getWithMetadata: "get",
  put: "put",
  delete: "delete",
  list: "list"
}

const faulty = (kv: KVNamespace): KVNamespace =>
  new Proxy(kv, {
    get: (target, name: string) => {
      const member = (Reflect.get(target, name) as (...args: ReadonlyArray<unknown>) => unknown).bind(target)
      const kind = kinds[name]
      return async (...args: ReadonlyArray<unknown>) => {
        const fault = kind && faults?.[kind]
        if (fault === undefined) return member(...args)
        if (fault === "lost") await member(...args)
        throw new Error(`KV ${name.toUpperCase()} failed: ${errors[fault]}`)
      }
    }
  })

type Given = Env & { readonly KV_FAULTS?: string }

const envs = new WeakMap<Given, Env>()

const envOf = (given: Given): Env => {
  faults ??= JSON.parse(given.KV_FAULTS ?? "{}") as Faults
  const known = envs.get(given)
  if (known !== undefined) return known
  const { KV_FAULTS, ...env } = given
  const wired = { ...env, CACHE_DO_KV: faulty(given.CACHE_DO_KV!) }
  envs.set(given, wired)
  return wired
}

export class CacheDurableObject extends Product<Env> {
  constructor(ctx: DurableObjectState, env: Given) {
    super(ctx, envOf(env))
  }

  async destroy(): Promise<void> {
    await this.ctx.storage.deleteAll()
    await this.ctx.storage.sync()
    this.ctx.abort("destroyed")
  }
}

export default {
  async fetch(request, given, context): Promise<Response> {
    const env = envOf(given)
    const { pathname, searchParams } = new URL(request.url)
    switch (pathname) {
      case "/kv-faults":
        faults = (await request.json()) as Faults
        return new Response()
      case "/destroy": {
        const object = env.CACHE_DO!.getByName(`shard-${searchParams.get("shard")}`) as unknown as CacheDurableObject
        await Promise.resolve(object.destroy()).catch(() => undefined)
        return new Response()
      }
      default:
        return worker.fetch(request, env, context)
    }
  }
} satisfies ExportedHandler<Given>
