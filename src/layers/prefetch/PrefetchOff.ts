import * as Layer from "effect/Layer"
import { off, Prefetch } from "../../services/prefetch/Prefetch.ts"

/** Learns nothing and predicts nothing. */
export const layer: Layer.Layer<Prefetch> = Layer.succeed(Prefetch, off)
