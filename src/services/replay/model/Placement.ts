import * as Random from "../../base/model/Random.ts"
import type { WorkloadRequest } from "../Workload.ts"

/** How many isolates serve a workload, and how long one lives. */
export interface Fleet {
  readonly isolates: number
  /** Isolates are dealt out to the locations in turn. */
  readonly locations: number
  /** Mean life in milliseconds, exponentially distributed; `Infinity` for one that never dies. */
  readonly meanLife: number
  readonly seed: number
}

/** Where one request runs. */
export interface Place {
  /** The isolate's slot; a new isolate takes the slot of a dead one when the next request comes. */
  readonly slot: number
  readonly location: number
  /** It starts an isolate of its own, beside the slot's, that serves this request and no other. */
  readonly cold: boolean
}

export const isCron = (
  request: WorkloadRequest
): request is Extract<WorkloadRequest, { readonly kind: "sweep" | "writeMany" }> =>
  request.kind === "sweep" || request.kind === "writeMany"

/** The fraction of cron firings that find no isolate warm, once there are several. */
const coldCrons = 0.5

/**
 * Deals requests out. A session stays in one location, a request without one comes from any; within the location any
 * isolate serves it. A cron runs on any isolate of all, and half of them on a cold one; a single immortal isolate
 * serves them all. What is drawn depends on the requests alone, so that every stack sees the same fate.
 */
export const make = (fleet: Fleet) => {
  const draw = Random.make(fleet.seed)
  const single = fleet.isolates === 1 && fleet.meanLife === Number.POSITIVE_INFINITY
  const below = (count: number): number => Math.floor(draw() * count)
  const isolatesIn = (location: number): number => Math.ceil((fleet.isolates - location) / fleet.locations)

  return {
    place: (request: WorkloadRequest): Place => {
      if (isCron(request)) {
        const slot = below(fleet.isolates)
        return { slot, location: slot % fleet.locations, cold: draw() < coldCrons && !single }
      }
      const location = request.session === undefined ? below(fleet.locations) : request.session % fleet.locations
      return { slot: location + fleet.locations * below(isolatesIn(location)), location, cold: false }
    },
    /** Milliseconds that the next isolate will live. */
    life: (): number =>
      fleet.meanLife === Number.POSITIVE_INFINITY ? fleet.meanLife : -Math.log(1 - draw()) * fleet.meanLife
  }
}
