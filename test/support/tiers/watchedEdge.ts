import * as Effect from "effect/Effect"
import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import type { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"

/** An edge cache of one location that tells what it was asked, one line a call. */
export const watchedEdge = (): { readonly edge: EdgeCache["Type"]; readonly calls: Array<string> } => {
  const calls: Array<string> = []
  const held = EdgeCacheMemory.make()
  const told = <A, E>(line: string, effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      calls.push(line)
      return effect
    })
  return {
    calls,
    edge: {
      enabled: true,
      match: (id) => told(`match ${id}`, held.match(id)),
      put: (id, observation, until) => told(`put ${id}`, held.put(id, observation, until)),
      delete: (id) => told(`delete ${id}`, held.delete(id))
    }
  }
}
