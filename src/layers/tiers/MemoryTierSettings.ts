import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../services/settings/Settings.ts"
import type { MemoryTier } from "../../services/tiers/MemoryTier.ts"
import * as MemoryTierLru from "./MemoryTierLru.ts"
import * as MemoryTierTinyLfu from "./MemoryTierTinyLfu.ts"

// Apart from the tiers themselves, so that who brings a capacity of his own does not bundle every setting there is.
const ofSettings = (
  layer: (capacityBytes: number) => Layer.Layer<MemoryTier>
): Layer.Layer<MemoryTier, never, Settings> =>
  Layer.unwrapEffect(Effect.map(Settings, (settings) => layer(settings.memoryBytes)))

/** The default: with as many bytes as the settings say. */
export const layerTinyLfu = ofSettings(MemoryTierTinyLfu.layer)

export const layerLru = ofSettings(MemoryTierLru.layer)
