import * as Context from "effect/Context"
import * as MonitorLive from "../../layers/monitoring/MonitorLive.ts"
import { type MonitorService, off } from "../../services/monitoring/Monitor.ts"
import type { RuntimeValues } from "../../services/monitoring/model/Carried.ts"
import { type CapState, stateOf } from "../../services/monitoring/model/SpendCap.ts"
import { makeSpentToday } from "../../services/monitoring/model/SpentToday.ts"
import type { Lately } from "./lately.ts"

/** A cap in dollars a UTC day, as one isolate goes by it. */
export interface Cap {
  readonly usd: number
  /** Dollars of the isolate since its services were made; asked with every call to an object while there is a cap. */
  readonly own: () => number
}

/** What counts in one isolate, and the settings that it is to go by. Both outlive a change of these. */
export interface Watch {
  readonly monitor: MonitorService
  readonly lately: Lately
  readonly settings: () => RuntimeValues
  /** Takes what is in force, however that came to be known; what is older than what is known is no news. */
  readonly learn: (settings: RuntimeValues) => void
  /** Where services are made anew, so is their ledger. */
  readonly setCap: (cap: Cap | undefined) => void
  readonly cap: (now: number) => { readonly usd: number; readonly spent: number; readonly state: CapState } | undefined
}

/** Share of the cap that is told at once: six isolates that spend it at the same moment stay within 1 % of the cap. */
const urgentShare = 0.001

const nothing: RuntimeValues = { version: 0, values: {} }

/** What is told of every request, beside what is counted. */
export interface Listener extends Pick<MonitorService, "hit" | "ended"> {
  readonly lately: Lately
}

const nobody: Listener = {
  hit: () => undefined,
  ended: () => undefined,
  lately: { requests: () => [], topKeys: () => [] }
}

export const make = (listener = nobody): Watch => {
  let known = nothing
  let cap: Cap | undefined
  let today = makeSpentToday()
  let toldAt = 0
  const learn = (settings: RuntimeValues): void => {
    if (settings.version > known.version) known = settings
  }
  const live = MonitorLive.make({
    onReply: ({ settings, usdToday }) => {
      if (settings !== undefined) learn(settings)
      if (usdToday !== undefined) today.learned(usdToday, toldAt)
    },
    onTelling: (now) => {
      toldAt = now
      if (cap !== undefined) today.told(cap.own(), now)
    },
    isUrgent: (now) => cap !== undefined && today.untold(cap.own(), now) > cap.usd * urgentShare
  })
  const monitor: MonitorService = {
    ...live,
    ended: (...about) => {
      live.ended(...about)
      listener.ended(...about)
    },
    hit: (url) => {
      live.hit(url)
      listener.hit(url)
    }
  }
  return {
    monitor,
    lately: listener.lately,
    settings: () => known,
    learn,
    setCap: (next) => {
      cap = next
      today = makeSpentToday()
    },
    cap: (now) => {
      if (cap === undefined) return undefined
      const spent = today.spent(cap.own(), now)
      return { usd: cap.usd, spent, state: stateOf(spent, cap.usd) }
    }
  }
}

/** The watch of the isolate. */
export class Watching extends Context.Reference<Watching>()("larder/Watching", {
  defaultValue: (): Watch => ({
    monitor: off,
    lately: nobody.lately,
    settings: () => nothing,
    learn: () => undefined,
    setCap: () => undefined,
    cap: () => undefined
  })
}) {}
