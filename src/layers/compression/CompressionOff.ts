import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Compression } from "../../services/compression/Compression.ts"
import * as CompressionZlib from "./CompressionZlib.ts"

/** Compresses nothing, and reads what was compressed before it was switched off. */
export const make = (): Context.Tag.Service<Compression> => ({
  ...CompressionZlib.make(),
  compress: (bytes) => ({ bytes, coding: "identity" }),
  blocks: () => undefined,
  codings: [],
  statistics: () => new Map()
})

export const layer: Layer.Layer<Compression> = Layer.sync(Compression, make)
