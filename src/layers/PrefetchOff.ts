import * as Layer from "effect/Layer"
import { off, Prefetch } from "../services/Prefetch.ts"

/** Learns nothing and predicts nothing. */
export const layer: Layer.Layer<Prefetch> = Layer.succeed(Prefetch, off)
