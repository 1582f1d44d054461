import * as Layer from "effect/Layer"
import { Monitor, type MonitorService } from "../../services/monitoring/Monitor.ts"
import { type Figures, noFigures, plus } from "../../services/monitoring/model/Figures.ts"
import { bucketOf } from "../../services/monitoring/model/LatencySketch.ts"
import { makeRouteClass } from "./internal/routeClass.ts"

/** How long a source counts on after its end: requests that it began may still run. */
const afterEndMillis = 60_000

interface FigureSource {
  readonly read: () => Figures
  endedAt: number | undefined
}

const tierOf = (response: Response): string => {
  const status = response.headers.get("Cache-Status")
  return status === null ? "-" : (/detail=(\w+)/.exec(status)?.[1] ?? "-")
}

/** Counts in the memory of this isolate, and tells nobody. */
export const make = (): MonitorService => {
  const routeClass = makeRouteClass()
  const counts: Record<string, number> = {}
  let hits = 0
  let sources: ReadonlyArray<FigureSource> = []
  /** Of sources that have ended. */
  let past = noFigures

  const count = (name: string, by = 1): void => {
    counts[name] = (counts[name] ?? 0) + by
  }

  return {
    hit: () => {
      hits += 1
    },
    ended: (request, response, millis, problem) => {
      const about = `${routeClass(request.method, request.url, response.status)}|${tierOf(response)}`
      count(`requests|${about}|${response.status}`)
      count(`ms|${about}|${bucketOf(millis)}`)
      if (problem !== undefined) count(`problems|${problem}|${response.status}`)
    },
    count,
    watch: (read) => {
      const source: FigureSource = { read, endedAt: undefined }
      sources = [...sources, source]
      return () => {
        source.endedAt = Number.POSITIVE_INFINITY
      }
    },
    figures: (now) => {
      for (const source of sources) {
        if (source.endedAt === Number.POSITIVE_INFINITY) source.endedAt = now
        if (source.endedAt === undefined || now - source.endedAt < afterEndMillis) continue
        past = plus(past, source.read())
        sources = sources.filter((other) => other !== source)
      }
      const hot = hits === 0 ? noFigures : { "requests|GET cache|memory|200": hits, "ms|GET cache|memory|0": hits }
      return sources.reduce((sum, { read }) => plus(sum, read()), plus(plus(past, counts), hot))
    },
    next: () => undefined,
    settled: () => undefined
  }
}

export const layer: Layer.Layer<Monitor> = Layer.sync(Monitor, make)
