import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Background, spend } from "../../services/base/Background.ts"
import { Kv, KvError, type KvOperation } from "../../services/kv/Kv.ts"

/**
 * A namespace that refuses what one invocation may not ask any more, as KV itself would: a caller that asks for many keys
 * hears so key by key. All namespaces draw on the same allowance. A bulk read counts for one.
 */
export const make = (kv: Context.Tag.Service<Kv>, allowed: number): Context.Tag.Service<Kv> => {
  const within = <A>(operation: KvOperation, effect: Effect.Effect<A, KvError>): Effect.Effect<A, KvError> =>
    Effect.flatMap(Background, (background) =>
      spend(background, "kv", allowed) ? effect : Effect.fail(new KvError({ operation, reason: "InvocationLimit" }))
    )
  return {
    get: (key, options) => within("get", kv.get(key, options)),
    getBulk: (keys, options) => within("getBulk", kv.getBulk(keys, options)),
    put: (key, value, options) => within("put", kv.put(key, value, options)),
    delete: (key) => within("delete", kv.delete(key)),
    list: (options) => within("list", kv.list(options))
  }
}

/** Stands inside the retries, each of which is an operation of its own, and outside the meter, which counts what was asked. */
export const layer = (allowed: number): Layer.Layer<Kv, never, Kv> =>
  Layer.effect(
    Kv,
    Effect.map(Kv, (kv) => make(kv, allowed))
  )
