import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Headlines } from "../../services/market/Headlines.ts"

/** Nobody brings news of any symbol. */
export const layer: Layer.Layer<Headlines> = Layer.succeed(Headlines, { latest: () => Effect.succeed(new Map()) })
