import * as Layer from "effect/Layer"
import { writerSign } from "../../services/store/model/Tags.ts"
import { make, Stamper } from "../../services/store/Stamper.ts"

/** One writer per isolate, named at random at its first write (global scope has no randomness on Workers). */
export const layer: Layer.Layer<Stamper> = Layer.sync(Stamper, () =>
  make(() => writerSign + crypto.randomUUID().slice(0, 8))
)

/** A writer with a given name, for replays and tests. */
export const layerNamed = (writer: string): Layer.Layer<Stamper> =>
  Layer.sync(Stamper, () => make(() => writerSign + writer))
