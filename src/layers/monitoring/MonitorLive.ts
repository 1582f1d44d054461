import * as Layer from "effect/Layer"
import { Monitor, type MonitorService } from "../../services/monitoring/Monitor.ts"
import type { CarriedReply } from "../../services/monitoring/model/Carried.ts"
import { type Figures, isNone, noFigures, since } from "../../services/monitoring/model/Figures.ts"
import * as MonitorMemory from "./MonitorMemory.ts"

/** Between two tellings, both with calls that are made anyway. */
const everyMillis = 10_000

/** After this long without one, a call of its own is made; the longest that a change of settings takes. */
const aloneMillis = 60_000

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

/** Counts as `MonitorMemory` does, and says what to tell the first object. */
export const make = ({
  name = () => crypto.randomUUID(),
  onReply,
  onTelling,
  isUrgent
}: MonitorOptions = {}): MonitorService => {
  const memory = MonitorMemory.make()
  let isolate: string | undefined
  let sequence = 0
  let base = 0
  let saved = noFigures
  const unsaved = new Map<number, Figures>()
  let toldAt = Number.NEGATIVE_INFINITY
  let settings = 0

  return {
    ...memory,
    next: (now, how) => {
      const isDue = how === "asked" || now - toldAt >= (how === "along" ? everyMillis : aloneMillis)
      if (!isDue && isUrgent?.(now) !== true) return undefined
      const all = memory.figures(now)
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
