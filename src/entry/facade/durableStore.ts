import * as Duration from "effect/Duration"
import * as DurableCacheBinding from "../../layers/durable/DurableCacheBinding.ts"
import * as KvDurable from "../../layers/facade/KvDurable.ts"
import { breakerLimits } from "../../services/base/model/Breaker.ts"
import type { FacadeStore } from "../../services/facade/KvFacade.ts"
import { isKey } from "../../services/facade/model/KvArguments.ts"
import { kvNamespace, type OpenableStore, plainOf, tierSettings } from "./namespace.ts"

export interface DurableOptions {
  /** The binding of the objects, by name where `withLarder` finds it in `env`. Default `CACHE_DO`. */
  readonly objects?: string | DurableObjectNamespace
  /** How many objects share the keys; the same everywhere, and for good. Default 1, which serves some hundred requests a second. */
  readonly shards?: number
}

/** How long an object may take for a call that carries less than a megabyte. */
const deadline = Duration.seconds(5)

export const objectsIn = (env: object, name: string): DurableObjectNamespace => {
  const found = (env as { readonly [name: string]: unknown })[name]
  if (typeof (found as DurableObjectNamespace | undefined)?.getByName === "function") {
    return found as DurableObjectNamespace
  }
  throw new TypeError(`durable: ${name} is no binding of Durable Objects; it is to be bound to CacheDurableObject`)
}

/**
 * Keeps the values of a namespace in Durable Objects (the class {@link CacheDurableObject}) in place of KV: reads see
 * the last write, a write is a row, and no operation of KV is billed. What the namespace held before stays where it is
 * and is not seen; {@link moveIn} copies it.
 *
 * @example
 * export { CacheDurableObject } from "larder-kv/durable"
 * export default withLarder(worker, { store: durable() })
 */
export const durable = (options: DurableOptions = {}): FacadeStore => storeOf(options)

const storeOf = ({ objects = "CACHE_DO", shards = 1 }: DurableOptions): OpenableStore => ({
  kind: "durable",
  in: (env) => storeOf({ shards, objects: typeof objects === "string" ? objectsIn(env, objects) : objects }),
  open: ({ binding, ledger, name, namespace, stamper }) => {
    if (typeof objects === "string")
      throw new TypeError("durable: outside of withLarder, `objects` is the binding itself")
    const limits = { deadline, breaker: breakerLimits(tierSettings) }
    const cache = DurableCacheBinding.make(objects, shards, ledger, limits)
    return { kv: KvDurable.make(cache, stamper, name), binding: judging(binding, namespace) }
  }
})

/**
 * What judges arguments that are not plainly valid: the platform those keys that it refuses before it does anything. A
 * value that it would coerce is coerced here; everything else is refused, since it would go past the objects.
 */
const judging = (binding: KVNamespace, namespace: () => KVNamespace): KVNamespace => {
  const call = (method: "get" | "getWithMetadata" | "put" | "delete", args: ReadonlyArray<unknown>) =>
    (binding[method] as (...args: ReadonlyArray<unknown>) => Promise<unknown>).apply(binding, [...args])
  const refuse = (method: string): never => {
    throw new TypeError(`${method}: in durable mode, arguments have to be of the documented types`)
  }
  const reading =
    (method: "get" | "getWithMetadata") =>
    async (...args: ReadonlyArray<unknown>) =>
      isKey(args[0]) || Array.isArray(args[0]) ? refuse(method) : await call(method, args)
  return {
    get: reading("get"),
    getWithMetadata: reading("getWithMetadata"),
    delete: async (key: unknown) => (typeof key === "string" ? await call("delete", [key]) : refuse("delete")),
    list: async () => refuse("list"),
    put: async (key: unknown, value: unknown, options: unknown) => {
      if (!isKey(key)) return await call("put", [key, ""])
      const plain = (await coerced(value)) ?? refuse("put")
      return await namespace().put(key, plain, options as KVNamespacePutOptions)
    }
  } as unknown as KVNamespace
}

/** As the platform reads them. Undefined for what it refuses, and for what needs no coercion. */
const coerced = async (value: unknown): Promise<string | ArrayBuffer | undefined> => {
  if (value instanceof ReadableStream) return new Response(value).arrayBuffer()
  return value === null || ["number", "boolean", "bigint"].includes(typeof value) ? String(value) : undefined
}

export interface MoveInOptions extends DurableOptions {
  readonly objects: DurableObjectNamespace
  /** Of the binding, as `withLarder` names the namespace. */
  readonly name: string
  /** Where the call before ended. */
  readonly cursor?: string
}

/**
 * Copies up to 100 keys of a namespace into its objects: values, metadata and expirations. What the objects hold already
 * is overwritten, so do this before the namespace is written to in durable mode. Bills one list and one read a key.
 *
 * @returns the cursor for the next call; undefined when all is copied
 */
export const moveIn = async (
  binding: KVNamespace,
  { cursor, name, ...options }: MoveInOptions
): Promise<{ readonly copied: number; readonly cursor: string | undefined }> => {
  const from = plainOf(binding)
  const into = kvNamespace(from, undefined, { store: durable(options) }, name)
  const page = await from.list({ limit: 100, ...(cursor === undefined ? {} : { cursor }) })
  const copies = page.keys.map(async ({ expiration, name: key }) => {
    const { metadata, value } = await from.getWithMetadata(key, "arrayBuffer")
    const left = expiration === undefined ? undefined : expiration - Math.ceil(Date.now() / 1000)
    if (value === null || (left !== undefined && left < 60)) return 0
    await into.put(key, value, { metadata, ...(left === undefined ? {} : { expirationTtl: left }) })
    return 1
  })
  const copied = (await Promise.all(copies)).reduce<number>((sum, one) => sum + one, 0)
  return { copied, cursor: page.list_complete ? undefined : page.cursor }
}
