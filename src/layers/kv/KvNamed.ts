import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Kv, KvError } from "../../services/kv/Kv.ts"

/** A namespace whose failures say which it is, and of which key. */
export const make = (kv: Context.Tag.Service<Kv>, binding: string): Context.Tag.Service<Kv> => {
  const named = <A>(key: string | undefined, operation: Effect.Effect<A, KvError>): Effect.Effect<A, KvError> =>
    Effect.mapError(
      operation,
      ({ cause, operation, reason }) =>
        new KvError({
          operation,
          reason,
          binding,
          ...(key === undefined ? {} : { key }),
          ...(cause === undefined ? {} : { cause })
        })
    )
  return {
    get: (key, options) => named(key, kv.get(key, options)),
    getBulk: (keys, options) => named(keys[0], kv.getBulk(keys, options)),
    put: (key, value, options) => named(key, kv.put(key, value, options)),
    delete: (key) => named(key, kv.delete(key)),
    list: (options) => named(options?.prefix, kv.list(options))
  }
}

export const layer = (binding: string): Layer.Layer<Kv, never, Kv> =>
  Layer.effect(
    Kv,
    Effect.map(Kv, (kv) => make(kv, binding))
  )
