import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { EdgeCache } from "../../services/tiers/EdgeCache.ts"

/** No edge tier: holds nothing, and says so. */
export const layer: Layer.Layer<EdgeCache> = Layer.succeed(EdgeCache, {
  match: () => Effect.succeed(Option.none()),
  put: () => Effect.void,
  delete: () => Effect.void,
  enabled: false
})
