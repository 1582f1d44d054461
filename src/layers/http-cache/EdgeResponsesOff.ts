import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { EdgeResponses } from "../../services/http-cache/EdgeResponses.ts"

export const make = (): EdgeResponses["Type"] => ({
  match: () => Effect.succeed(Option.none()),
  put: () => Effect.void,
  enabled: false
})

export const layer: Layer.Layer<EdgeResponses> = Layer.sync(EdgeResponses, make)
