import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as LoggerJson from "../../layers/base/LoggerJson.ts"
import type { FacadeOptions } from "../../services/facade/KvFacade.ts"
import { kvNamespace } from "../facade/namespace.ts"
import { valuesOf } from "../facade/namespaceKeys.ts"

interface CloudflareContext {
  readonly env: { readonly [name: string]: unknown }
  readonly ctx: Pick<ExecutionContext, "waitUntil">
}

export interface OpenNextOptions extends FacadeOptions {
  /** Of the KV binding. Default OpenNext's own: `NEXT_INC_CACHE_KV`, and `NEXT_TAG_CACHE_KV` for tags. */
  readonly binding?: string
  /** Where environment and context are found. Default where @opennextjs/cloudflare puts them for each request. */
  readonly context?: () => CloudflareContext
  /** Default `NEXT_BUILD_ID` (for tags `OPEN_NEXT_BUILD_ID`) of the process, and `no-build-id` without it. */
  readonly buildId?: string
}

const currentContext = (): CloudflareContext => {
  const found = (globalThis as { readonly [name: symbol]: unknown })[Symbol.for("__cloudflare-context__")]
  if (found === undefined) throw new Error("larder-kv/opennext: outside of a request that OpenNext serves")
  return found as CloudflareContext
}

const variable = (name: string): string | undefined =>
  (globalThis as { readonly process?: { readonly env: { readonly [name: string]: string | undefined } } }).process?.env[
    name
  ]

const namespaceIn = (name: string, { binding, buildId, context = currentContext, ...options }: OpenNextOptions) => {
  const { ctx, env } = context()
  const found = env[binding ?? name] as KVNamespace | undefined
  if (found === undefined) throw new Error(`larder-kv/opennext: no KV namespace is bound as ${binding ?? name}`)
  return kvNamespace(found, ctx, options, binding ?? name)
}

const log = Runtime.runSync(LoggerJson.runtime)

/** A failing cache never fails a page: OpenNext renders it anew. */
const orElse = async <A>(run: () => Promise<A>, other: A): Promise<A> => {
  try {
    return await run()
  } catch (error) {
    log(Effect.logError("larder-kv/opennext: the cache failed, and the page is rendered", error))
    return other
  }
}

const hex = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}

type CacheType = "cache" | "fetch" | "composable"

/**
 * OpenNext's incremental cache on KV behind Larder, with the keys that OpenNext's own KV cache has: what the build put
 * there is found.
 *
 * @example
 * export default defineCloudflareConfig({ incrementalCache: incrementalCache() })
 */
export const incrementalCache = (options: OpenNextOptions = {}) => {
  const namespace = () => namespaceIn("NEXT_INC_CACHE_KV", options)
  const keyOf = async (key: string, type: CacheType = "cache"): Promise<string> => {
    const prefix = variable("NEXT_INC_CACHE_KV_PREFIX") ?? "incremental-cache"
    const build = options.buildId ?? variable("NEXT_BUILD_ID") ?? "no-build-id"
    return `${prefix}/${build}/${await hex(key)}.${type}`.replace(/\/+/g, "/")
  }
  return {
    name: "larder-kv-incremental-cache",

    // OpenNext's own type of a value depends on the kind of cache.
    // biome-ignore lint/suspicious/noExplicitAny: see above.
    get: (key: string, type?: CacheType): Promise<{ value?: any; lastModified?: number } | null> =>
      orElse(async () => {
        const found = await namespace().get<object>(await keyOf(key, type), "json")
        if (found === null || "lastModified" in found) return found as { lastModified?: number } | null
        const built = (globalThis as { readonly __BUILD_TIMESTAMP_MS__?: number }).__BUILD_TIMESTAMP_MS__
        return { value: found, ...(built === undefined ? {} : { lastModified: built }) }
      }, null),

    set: (key: string, value: unknown, type?: CacheType): Promise<void> =>
      orElse(async () => {
        await namespace().put(await keyOf(key, type), JSON.stringify({ value, lastModified: Date.now() }))
      }, undefined),

    delete: (key: string): Promise<void> => orElse(async () => namespace().delete(await keyOf(key)), undefined)
  }
}

/** As OpenNext's own KV tag cache writes them: a number up to its 1.18, an object from 1.19 on. */
type Tag = { readonly revalidatedAt: number; readonly stale: number | null; readonly expire: number | null }

type TagInput = string | { readonly tag: string; readonly stale?: number; readonly expire?: number }

const tagOf = (text: string): Tag => {
  const found = JSON.parse(text) as number | Partial<Tag>
  if (typeof found === "number") return { revalidatedAt: found, stale: found, expire: null }
  return { revalidatedAt: found.revalidatedAt ?? 0, stale: found.stale ?? null, expire: found.expire ?? null }
}

/**
 * OpenNext's tag cache (`nextMode`) on KV behind Larder. In the isolate that revalidated a tag it is seen at once,
 * elsewhere after KV's minute and `cacheTtl` more; with `store: durable(…)` after `cacheTtl`.
 */
export const tagCache = (options: OpenNextOptions = {}) => {
  const namespace = () => namespaceIn("NEXT_TAG_CACHE_KV", options)
  const keyOf = (tag: string): string =>
    `${options.buildId ?? variable("OPEN_NEXT_BUILD_ID") ?? "no-build-id"}/${tag}`.replaceAll("//", "/")
  const tagsOf = async (tags: ReadonlyArray<string>): Promise<ReadonlyArray<Tag>> =>
    (await valuesOf(namespace(), [...new Set(tags.map(keyOf))])).flatMap((text) => (text === null ? [] : [tagOf(text)]))
  return {
    mode: "nextMode" as const,
    name: "larder-kv-tag-cache",

    getLastRevalidated: (tags: Array<string>): Promise<number> =>
      orElse(async () => Math.max(0, ...(await tagsOf(tags)).map(({ revalidatedAt }) => revalidatedAt)), 0),

    hasBeenRevalidated: (tags: Array<string>, lastModified?: number): Promise<boolean> =>
      orElse(async () => {
        const now = Date.now()
        return (await tagsOf(tags)).some(({ expire, revalidatedAt }) =>
          expire === null ? revalidatedAt > (lastModified ?? now) : expire <= now && expire > (lastModified ?? 0)
        )
      }, false),

    isStale: (tags: Array<string>, lastModified?: number): Promise<boolean> =>
      orElse(async () => {
        const now = Date.now()
        const since = lastModified ?? now
        return (await tagsOf(tags)).some(
          ({ expire, revalidatedAt, stale }) =>
            stale !== null && revalidatedAt > since && since <= stale && (expire === null || expire > now)
        )
      }, false),

    writeTags: async (tags: Array<TagInput>): Promise<void> => {
      const now = Date.now()
      const put = (tag: TagInput) => {
        if (typeof tag === "string") return namespace().put(keyOf(tag), String(now))
        const { expire = null, stale = now } = tag
        return namespace().put(keyOf(tag.tag), JSON.stringify({ revalidatedAt: stale, stale, expire } satisfies Tag))
      }
      await Promise.all(tags.map(put))
    }
  }
}
