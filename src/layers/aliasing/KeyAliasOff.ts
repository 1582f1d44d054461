import * as Layer from "effect/Layer"
import { KeyAlias } from "../../services/aliasing/KeyAlias.ts"

/** Every key stands for itself. */
export const layer: Layer.Layer<KeyAlias> = Layer.succeed(KeyAlias, {
  canonical: (_collection, key) => key,
  count: () => undefined,
  observe: () => undefined,
  stats: () => ({ byCollection: {}, suggestions: [] })
})
