import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Kv } from "../../services/kv/Kv.ts"
import { RetryPolicy, retrying } from "../../services/kv/RetryPolicy.ts"

/** A namespace whose transient failures are tried again; every operation of KV is safe to repeat. */
export const make = (
  kv: Context.Tag.Service<Kv>,
  policy: Context.Tag.Service<RetryPolicy>
): Context.Tag.Service<Kv> => {
  const retry = retrying(policy)
  return {
    get: (key, options) => retry(kv.get(key, options)),
    getBulk: (keys, options) => retry(kv.getBulk(keys, options)),
    put: (key, value, options) => retry(kv.put(key, value, options)),
    delete: (key) => retry(kv.delete(key)),
    list: (options) => retry(kv.list(options))
  }
}

/** Retries the `Kv` it is provided with. Stands outside the meter, which counts every attempt. */
export const layer: Layer.Layer<Kv, never, Kv | RetryPolicy> = Layer.effect(
  Kv,
  Effect.map(Effect.all([Kv, RetryPolicy]), ([kv, policy]) => make(kv, policy))
)
