import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Kv, KvError, type KvOperation } from "../../services/kv/Kv.ts"

/** A namespace that fails as `Unavailable` where it has not answered in time; what was asked of it may still be done. */
export const make = (kv: Context.Tag.Service<Kv>, deadline: Duration.DurationInput): Context.Tag.Service<Kv> => {
  const within = <A>(operation: KvOperation, effect: Effect.Effect<A, KvError>): Effect.Effect<A, KvError> =>
    Effect.timeoutFail(effect, {
      duration: deadline,
      onTimeout: () => new KvError({ operation, reason: "Unavailable", cause: new Error("KV did not answer in time") })
    })
  return {
    get: (key, options) => within("get", kv.get(key, options)),
    getBulk: (keys, options) => within("getBulk", kv.getBulk(keys, options)),
    put: (key, value, options) => within("put", kv.put(key, value, options)),
    delete: (key) => within("delete", kv.delete(key)),
    list: (options) => within("list", kv.list(options))
  }
}
