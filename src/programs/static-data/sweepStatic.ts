import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { StaticData } from "../../services/static-data/StaticData.ts"

/**
 * Drops what was derived from the static tables and not asked for in five minutes; how much. An isolate has no timers,
 * so one that answers nothing more is tidied by the cron, if that reaches it.
 */
export const sweepStatic: Effect.Effect<number, never, StaticData> = Effect.zipWith(
  StaticData,
  Clock.currentTimeMillis,
  (data, now) => data.sweep(now)
)
