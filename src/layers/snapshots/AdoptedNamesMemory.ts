import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import { AdoptedNames, rememberedFor } from "../../services/snapshots/AdoptedNames.ts"

/** Adopted names in a Map, oldest first. */
export const make = (): Context.Tag.Service<AdoptedNames> => {
  const adoptedAt = new Map<string, number>()
  return {
    unknown: (names) => names.filter((name) => !adoptedAt.has(name)),
    remember: (name, now) => {
      adoptedAt.delete(name)
      adoptedAt.set(name, now)
      for (const [other, at] of adoptedAt) {
        if (at >= now - Duration.toMillis(rememberedFor)) break
        adoptedAt.delete(other)
      }
    }
  }
}

export const layer: Layer.Layer<AdoptedNames> = Layer.sync(AdoptedNames, make)
