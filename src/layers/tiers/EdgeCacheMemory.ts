import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Observation } from "../../services/store/model/Entry.ts"
import { EdgeCache } from "../../services/tiers/EdgeCache.ts"

/** One location's edge cache in a Map, shared by the isolates that are given the same one. Never evicts the living. */
export const make = (): EdgeCache["Type"] => {
  const held = new Map<string, { readonly observation: Observation; readonly until: number }>()
  return {
    match: (id) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const slot = held.get(id)
        if (slot === undefined) return Option.none()
        if (slot.until > now) return Option.some(slot.observation)
        held.delete(id)
        return Option.none()
      }),
    put: (id, observation, until) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (until - now >= 1000) held.set(id, { observation, until })
      }),
    delete: (id) => Effect.sync(() => void held.delete(id)),
    enabled: true
  }
}

export const layer: Layer.Layer<EdgeCache> = Layer.sync(EdgeCache, make)
