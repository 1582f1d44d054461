import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { FigureBook } from "../../services/monitoring/FigureBook.ts"
import { Monitor } from "../../services/monitoring/Monitor.ts"
import { plus, since } from "../../services/monitoring/model/Figures.ts"

/**
 * What the isolate that answers has counted, where no object brings the figures of all together: since it began, and as
 * points, from one question to the next within the same minute.
 */
export const layer: Layer.Layer<FigureBook> = Layer.effect(
  FigureBook,
  Effect.map(Effect.all([Monitor, Clock.currentTimeMillis]), ([monitor, began]) => {
    const points: Array<{ at: number; figures: ReturnType<typeof monitor.figures> }> = []
    let last = monitor.figures(began)
    return {
      view: Effect.map(Clock.currentTimeMillis, (now) => {
        const total = monitor.figures(now)
        const at = Math.floor(now / 60_000) * 60_000
        const open = points.at(-1)
        if (open?.at === at) open.figures = since(last, total)
        else {
          if (open !== undefined) last = plus(last, open.figures)
          points.push({ at, figures: since(last, total) })
          if (points.length > 120) points.shift()
        }
        return {
          scope: "isolate" as const,
          since: began,
          isolates: 1,
          total,
          minutes: points.map((point) => ({ ...point })),
          hours: [],
          days: []
        }
      })
    }
  })
)
