import * as Duration from "effect/Duration"
import { dayOf } from "../../base/model/UtcDay.ts"
import type { MonitorValues } from "../MonitorSettings.ts"
import type { Summary } from "./Performance.ts"

/** A minute, as thresholds look at it. */
export interface Minute extends Summary {
  /** Milliseconds since the epoch when it began. */
  readonly at: number
}

export interface Alert {
  readonly id: string
  /** Milliseconds since the epoch: the end of the minute by which it was raised, or cleared. */
  readonly at: number
  readonly kind: "raised" | "cleared"
  readonly message: string
}

interface Rule {
  readonly id: string
  /** Undefined for a minute that says nothing. */
  readonly value: (minute: Minute) => number | undefined
  readonly isOver: (value: number) => boolean
  readonly isClear: (value: number) => boolean
  readonly say: (value: number) => string
}

/** Minutes in a row that raise an alert, and that clear it: one bad minute is no incident, one good one not its end. */
const toRaise = 2
const toClear = 3

/** A minute with fewer says nothing of a share. */
const leastRequests = 20

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

const rules = (settings: MonitorValues): ReadonlyArray<Rule> => {
  const { alertErrorRate, alertHitRatio, alertLatency } = settings
  const millis = Duration.toMillis(alertLatency)
  return [
    {
      id: "error-rate",
      value: ({ errorRatio, requests }) => (requests < leastRequests ? undefined : (errorRatio ?? undefined)),
      isOver: (value) => value > alertErrorRate,
      isClear: (value) => value <= alertErrorRate / 2,
      say: (value) => `${percent(value)} of all answers are errors; ${percent(alertErrorRate)} are too many`
    },
    {
      id: "hit-ratio",
      value: ({ hitRatio, reads }) => (reads < leastRequests ? undefined : (hitRatio ?? undefined)),
      isOver: (value) => value < alertHitRatio,
      isClear: (value) => value >= Math.min(1, alertHitRatio * 1.05),
      say: (value) => `the hit ratio is ${percent(value)}; it should be ${percent(alertHitRatio)}`
    },
    {
      id: "latency",
      value: ({ p95, requests }) => (requests < leastRequests ? undefined : (p95 ?? undefined)),
      isOver: (value) => value > millis,
      isClear: (value) => value <= millis * 0.8,
      say: (value) => `p95 is ${Math.round(value)} ms; it should be below ${millis} ms`
    }
  ]
}

/**
 * The alerts that a series of minutes raised and cleared, in order. A fold over what was counted, without a state of its
 * own: the same minutes give the same alerts everywhere.
 *
 * @param writesBefore KV writes of the first minute's UTC day before that minute
 */
export const alertsIn = (
  minutes: ReadonlyArray<Minute>,
  settings: MonitorValues,
  writesBefore = 0
): ReadonlyArray<Alert> =>
  [...rules(settings).flatMap((rule) => ofRule(rule, minutes)), ...ofWrites(minutes, settings, writesBefore)].sort(
    (a, b) => a.at - b.at
  )

const ofRule = ({ id, isClear, isOver, say, value }: Rule, minutes: ReadonlyArray<Minute>): ReadonlyArray<Alert> => {
  const alerts: Array<Alert> = []
  let isRaised = false
  let inRow = 0
  for (const minute of minutes) {
    const found = value(minute)
    if (found === undefined) continue
    inRow = (isRaised ? isClear(found) : isOver(found)) ? inRow + 1 : 0
    if (inRow < (isRaised ? toClear : toRaise)) continue
    isRaised = !isRaised
    inRow = 0
    alerts.push({ id, at: minute.at + 60_000, kind: isRaised ? "raised" : "cleared", message: say(found) })
  }
  return alerts
}

/** Raised by the write that passes the limit of a UTC day, and cleared by the next day. */
const ofWrites = (
  minutes: ReadonlyArray<Minute>,
  { alertKvWrites }: MonitorValues,
  writesBefore: number
): ReadonlyArray<Alert> => {
  if (alertKvWrites === undefined) return []
  const alerts: Array<Alert> = []
  let day = minutes.length === 0 ? Number.NaN : dayOf(minutes[0]!.at)
  let writes = writesBefore
  // What was passed before the first minute was told then.
  let isRaised = writesBefore > alertKvWrites
  for (const { at, kv } of minutes) {
    const today = dayOf(at)
    if (today !== day) {
      if (isRaised) alerts.push({ id: "kv-writes", at, kind: "cleared", message: "a new day has begun" })
      day = today
      writes = 0
      isRaised = false
    }
    writes += kv.writes
    if (isRaised || writes <= alertKvWrites) continue
    isRaised = true
    alerts.push({
      id: "kv-writes",
      at: at + 60_000,
      kind: "raised",
      message: `${writes} KV writes on this UTC day; ${alertKvWrites} are too many`
    })
  }
  return alerts
}

/** Those that were raised and not cleared since. */
export const standing = (alerts: ReadonlyArray<Alert>): ReadonlyArray<Alert> => {
  const last = new Map(alerts.map((alert) => [alert.id, alert]))
  return [...last.values()].filter(({ kind }) => kind === "raised")
}
