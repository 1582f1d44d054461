import { SystemError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { clearKeys, namespaceKeys } from "../facade/namespaceKeys.ts"

const attempt = <A>(method: string, key: string, run: () => Promise<A>): Effect.Effect<A, SystemError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      new SystemError({
        reason: "Unknown",
        module: "KeyValueStore",
        method,
        pathOrDescriptor: key,
        description: `KV failed: ${cause instanceof Error ? cause.message : cause}`,
        cause
      })
  })

/**
 * @effect/platform's `KeyValueStore` over a namespace.
 *
 * @param namespace as `withLarder` or `kvNamespace` give it
 */
export const make = (
  namespace: KVNamespace,
  { prefix = "" }: { readonly prefix?: string } = {}
): KeyValueStore.KeyValueStore =>
  KeyValueStore.make({
    get: (key) =>
      Effect.map(
        attempt("get", key, () => namespace.get(prefix + key)),
        Option.fromNullable
      ),
    getUint8Array: (key) =>
      Effect.map(
        attempt("getUint8Array", key, () => namespace.get(prefix + key, "arrayBuffer")),
        (found) => Option.map(Option.fromNullable(found), (buffer) => new Uint8Array(buffer))
      ),
    set: (key, value) => attempt("set", key, () => namespace.put(prefix + key, value)),
    remove: (key) => attempt("remove", key, () => namespace.delete(prefix + key)),
    clear: attempt("clear", prefix, () => clearKeys(namespace, prefix)),
    size: attempt("size", prefix, async () => {
      let size = 0
      for await (const keys of namespaceKeys(namespace, prefix)) size += keys.length
      return size
    })
  })

export const layer = (
  namespace: KVNamespace,
  options?: { readonly prefix?: string }
): Layer.Layer<KeyValueStore.KeyValueStore> => Layer.sync(KeyValueStore.KeyValueStore, () => make(namespace, options))
