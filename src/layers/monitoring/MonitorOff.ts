import * as Layer from "effect/Layer"
import { Monitor, off } from "../../services/monitoring/Monitor.ts"

/** Nothing is counted and nothing told. */
export const layer: Layer.Layer<Monitor> = Layer.succeed(Monitor, off)
