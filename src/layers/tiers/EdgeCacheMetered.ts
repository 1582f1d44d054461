import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { EdgeCache } from "../../services/tiers/EdgeCache.ts"

/** Counts every call of an edge cache in the ledger, as it is made. */
export const make = (cache: EdgeCache["Type"], ledger: Ledger["Type"]): EdgeCache["Type"] => {
  const counted =
    (kind: "matches" | "puts" | "deletes") =>
    <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        ledger.record({ tier: "edge", kind })
        return effect
      })
  return cache.enabled
    ? {
        match: (id) => counted("matches")(cache.match(id)),
        put: (id, observation, until) => counted("puts")(cache.put(id, observation, until)),
        delete: (id) => counted("deletes")(cache.delete(id)),
        enabled: true
      }
    : cache
}

export const layer: Layer.Layer<EdgeCache, never, EdgeCache | Ledger> = Layer.effect(
  EdgeCache,
  Effect.zipWith(EdgeCache, Ledger, make)
)
