import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type BulkAnswer, Kv, KvError, type KvOperation, type KvReason } from "../../services/kv/Kv.ts"
import * as KvRules from "../../services/kv/model/KvRules.ts"

type KvNamespace = Pick<KVNamespace, "getWithMetadata" | "put" | "delete" | "list">

/** The namespace behind a binding. Refuses what KV would, before asking: its bindings coerce instead of refusing. */
export const make = (binding: KvNamespace): Context.Tag.Service<Kv> => ({
  get: (key, { cacheTtl } = {}) =>
    checked(KvRules.refusedGet(key, cacheTtl), () =>
      asking("get", async () => {
        const { value, metadata } = await binding.getWithMetadata(key, { type: "arrayBuffer", ...ttlOf(cacheTtl) })
        return value === null ? Option.none() : Option.some({ value: new Uint8Array(value), metadata })
      })
    ),

  getBulk: (keys, { cacheTtl } = {}) =>
    checked(KvRules.refusedBulk(keys, cacheTtl), () =>
      asking("getBulk", async () => {
        const found = await binding.getWithMetadata([...keys], { type: "text", ...ttlOf(cacheTtl) })
        return new Map(keys.map((key) => [key, bulkAnswer(found.get(key))]))
      })
    ),

  put: (key, value, options) => {
    const metadata = KvRules.checkedPut(key, value, options)
    return checked(metadata instanceof KvError ? metadata : undefined, () =>
      asking("put", () => binding.put(key, value, { ...options }))
    )
  },

  delete: (key) => checked(KvRules.refusedKey("delete", key), () => asking("delete", () => binding.delete(key))),

  list: (options) =>
    checked(KvRules.refusedList(options), () =>
      asking("list", async () => {
        const page = await binding.list({ ...options })
        return {
          keys: page.keys.map(({ name, expiration, metadata }) => ({ name, expiration, metadata: metadata ?? null })),
          cursor: page.list_complete ? undefined : page.cursor
        }
      })
    )
})

export const layer = (binding: KvNamespace): Layer.Layer<Kv> => Layer.sync(Kv, () => make(binding))

// internal

const checked = <A>(refused: KvError | undefined, ask: () => Effect.Effect<A, KvError>): Effect.Effect<A, KvError> =>
  refused === undefined ? ask() : Effect.fail(refused)

const asking = <A>(operation: KvOperation, ask: () => Promise<A>): Effect.Effect<A, KvError> =>
  Effect.tryPromise({
    try: ask,
    catch: (cause) => new KvError({ operation, reason: reasonOf(operation, cause), cause })
  })

/** The binding reads it as a signed 32-bit integer. */
const ttlOf = (cacheTtl: number | undefined): { readonly cacheTtl?: number } =>
  cacheTtl === undefined ? {} : { cacheTtl: Math.min(cacheTtl, 2 ** 31 - 1) }

const encoder = new TextEncoder()

/**
 * Undecodable is also what may be one: U+FFFD stands for bytes that were no UTF-8, a byte order mark may have had
 * another before it, and an empty value may have lost its metadata, a key its value, on the way (workers-sdk #14594).
 */
const bulkAnswer = (
  found: { readonly value: string | null; readonly metadata: unknown } | null | undefined
): BulkAnswer => {
  if (found === null) return undefined
  if (typeof found?.value !== "string") return "undecodable"
  return found.value.includes("\uFFFD") || found.value.startsWith("\uFEFF")
    ? "undecodable"
    : { value: encoder.encode(found.value), metadata: found.metadata }
}

/** From the texts KV throws: its own, the runtime's, and the HTTP status it puts in front of the service's. */
const reasonOf = (operation: KvOperation, cause: unknown): KvReason => {
  const text = cause instanceof Error ? cause.message : String(cause)
  if (/limit exceeded for the day/i.test(text)) return "DailyLimit"
  if (/too many (subrequests|api requests) by single worker invocation/i.test(text)) return "InvocationLimit"
  const status = / failed: (\d{3})\b/.exec(text)?.[1]
  if (status === "429") return "RateLimited"
  if (status === "413") return "TooLarge"
  if (/\bkey name/i.test(text) || (status === "414" && operation !== "list")) return "BadKey"
  return status === "400" || status === "414" ? "BadOption" : "Unavailable"
}
