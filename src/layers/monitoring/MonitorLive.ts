import * as Layer from "effect/Layer"
import { Monitor, type MonitorService } from "../../services/monitoring/Monitor.ts"
import type { CarriedReply } from "../../services/monitoring/model/Carried.ts"
import { type Figures, isNone, noFigures, plus, since } from "../../services/monitoring/model/Figures.ts"
import { bucketOf } from "../../services/monitoring/model/LatencySketch.ts"
import { makeRouteClass } from "./internal/routeClass.ts"

/** Between two tellings, both with calls that are made anyway. */
const everyMillis = 10_000

/** After this long without one, a call of its own is made; the longest that a change of settings takes. */
const aloneMillis = 60_000

/** How long a source counts on after its end: requests that it began may still run. */
const afterEndMillis = 60_000

/** What was told and is not known to be saved. */
const mostUnsaved = 64

export interface MonitorOptions {
  /** Of this isolate; drawn when it is first needed, as there is no chance to be had before a request. */
  readonly name?: () => string
  /** Told of every reply. */
  readonly onReply?: (reply: CarriedReply) => void
  /** Told of what is told. */
  readonly onTelling?: (now: number) => void
  /** Whether there is more to tell than may wait. */
  readonly isUrgent?: (now: number) => boolean
}

interface Source {
  readonly read: () => Figures
  endedAt: number | undefined
}

const tierOf = (response: Response): string => {
  const status = response.headers.get("Cache-Status")
  return status === null ? "-" : (/detail=(\w+)/.exec(status)?.[1] ?? "-")
}

/** Counts in the memory of this isolate, and says what to tell the first object. */
export const make = ({
  name = () => crypto.randomUUID(),
  onReply,
  onTelling,
  isUrgent
}: MonitorOptions = {}): MonitorService => {
  const routeClass = makeRouteClass()
  const counts: Record<string, number> = {}
  let hits = 0
  let sources: ReadonlyArray<Source> = []
  /** Of sources that have ended. */
  let past = noFigures

  let isolate: string | undefined
  let sequence = 0
  let base = 0
  let saved = noFigures
  const unsaved = new Map<number, Figures>()
  let toldAt = Number.NEGATIVE_INFINITY
  let settings = 0

  const count = (name: string, by = 1): void => {
    counts[name] = (counts[name] ?? 0) + by
  }

  const figures = (now: number): Figures => {
    for (const source of sources) {
      if (source.endedAt === Number.POSITIVE_INFINITY) source.endedAt = now
      if (source.endedAt === undefined || now - source.endedAt < afterEndMillis) continue
      past = plus(past, source.read())
      sources = sources.filter((other) => other !== source)
    }
    const hot = hits === 0 ? noFigures : { "requests|GET cache|memory|200": hits, "ms|GET cache|memory|0": hits }
    return sources.reduce((sum, { read }) => plus(sum, read()), plus(plus(past, counts), hot))
  }

  return {
    hit: () => {
      hits += 1
    },
    ended: (request, response, millis) => {
      const about = `${routeClass(request.method, request.url, response.status)}|${tierOf(response)}`
      count(`requests|${about}|${response.status}`)
      count(`ms|${about}|${bucketOf(millis)}`)
    },
    count,
    watch: (read) => {
      const source: Source = { read, endedAt: undefined }
      sources = [...sources, source]
      return () => {
        source.endedAt = Number.POSITIVE_INFINITY
      }
    },
    figures,
    next: (now, how) => {
      const isDue = how === "asked" || now - toldAt >= (how === "along" ? everyMillis : aloneMillis)
      if (!isDue && isUrgent?.(now) !== true) return undefined
      const all = figures(now)
      const news = since(saved, all)
      if (how === "along" && isNone(news) && now - toldAt < aloneMillis) return undefined
      toldAt = now
      onTelling?.(now)
      sequence += 1
      unsaved.set(sequence, all)
      if (unsaved.size > mostUnsaved) unsaved.delete(unsaved.keys().next().value!)
      isolate ??= name()
      return { isolate, sequence, base, figures: news, settings }
    },
    settled: (reply: CarriedReply) => {
      settings = reply.settings?.version ?? settings
      onReply?.(reply)
      const kept = unsaved.get(reply.saved)
      if (reply.saved <= base || kept === undefined) return
      base = reply.saved
      saved = kept
      for (const told of [...unsaved.keys()]) if (told <= base) unsaved.delete(told)
    }
  }
}

export const layer = (options?: MonitorOptions): Layer.Layer<Monitor> => Layer.sync(Monitor, () => make(options))
