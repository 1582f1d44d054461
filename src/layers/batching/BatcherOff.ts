import * as Layer from "effect/Layer"
import { Batcher, off } from "../../services/batching/Batcher.ts"

/** Every operation by itself; what is to be written behind is written at once. */
export const layer: Layer.Layer<Batcher> = Layer.succeed(Batcher, off)
