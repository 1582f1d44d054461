import * as Context from "effect/Context"
import * as MonitorLive from "../../layers/monitoring/MonitorLive.ts"
import { type MonitorService, off } from "../../services/monitoring/Monitor.ts"
import type { RuntimeValues } from "../../services/monitoring/model/Carried.ts"

/** What counts in one isolate, and the settings that it is to go by. Both outlive a change of these. */
export interface Watch {
  readonly monitor: MonitorService
  readonly settings: () => RuntimeValues
  /** Takes what is in force, however that came to be known; what is older than what is known is no news. */
  readonly learn: (settings: RuntimeValues) => void
}

export const make = (): Watch => {
  let known: RuntimeValues = { version: 0, values: {} }
  const learn = (settings: RuntimeValues): void => {
    if (settings.version > known.version) known = settings
  }
  return { monitor: MonitorLive.make({ onSettings: learn }), settings: () => known, learn }
}

/** The watch of the isolate. */
export class Watching extends Context.Reference<Watching>()("larder/Watching", {
  defaultValue: (): Watch => ({ monitor: off, settings: () => ({ version: 0, values: {} }), learn: () => undefined })
}) {}
