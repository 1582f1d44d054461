import * as Duration from "effect/Duration"
import type { Quote } from "../../market/model/Quote.ts"
import type { AlertCondition, AlertRule } from "./AlertRule.ts"
import type { AlertState, PendingNotification } from "./AlertState.ts"

/** What a rule is evaluated on. */
export interface Observed {
  readonly quote: Pick<Quote, "price" | "at">
  /** `crosses-average`: the average it is compared with. Without it such a rule is not evaluated. */
  readonly average?: NonNullable<AlertState["average"]>
}

export interface Evaluated {
  /** The very state that came in where nothing was evaluated. */
  readonly state: AlertState | undefined
  readonly firing: PendingNotification | undefined
}

/** How often `sweepAlerts` is meant to run. */
export const sweepEvery = Duration.minutes(5)

/**
 * A rule after one more look at the price. Pure, and idempotent: at or before the moment of its last evaluation, or on
 * a quote older than the last one, nothing happens, so that late, repeated and overlapping sweeps do no harm. A rule
 * fires when its condition holds while it is armed, its cooldown is over and no notification of it is still pending;
 * firing disarms it, and it is armed again once the price is back beyond the hysteresis. `now` in milliseconds.
 */
export const evaluate = (
  rule: AlertRule,
  before: AlertState | undefined,
  { average, quote }: Observed,
  now: number
): Evaluated => {
  const untouched = { state: before, firing: undefined }
  if (before !== undefined && (now <= before.evaluatedAt || quote.at < before.quoteAt)) return untouched
  if (rule.condition.kind === "crosses-average" && average === undefined) return untouched
  const samples = rule.condition.kind === "percent-change" ? sampled(rule.condition, before, quote, now) : undefined
  const found = measure(rule, quote.price, samples, average?.value, now)
  const armed = (before?.armed ?? rule.condition.kind !== "crosses-average") || found?.back === true
  const rested = before?.firedAt === undefined || now >= before.firedAt + rule.cooldownSeconds * 1000
  const fires = found?.holds === true && armed && rested && before?.pending === undefined
  const state: AlertState = {
    ...before,
    evaluatedAt: now,
    quoteAt: quote.at,
    price: quote.price,
    armed: armed && !fires,
    firings: (before?.firings ?? 0) + (fires ? 1 : 0),
    ...(fires ? { firedAt: now } : {}),
    ...(samples === undefined ? {} : { samples }),
    ...(average === undefined ? {} : { average })
  }
  if (!fires) return { state, firing: undefined }
  const { measured, threshold } = found
  const key = firingKey(rule, before, now)
  return { state, firing: { key, firedAt: now, price: quote.price, measured, threshold, takenAt: now, attempts: 1 } }
}

/**
 * The idempotency key of a firing comes from the state it was decided on, not from the clock or the quote: sweeps on
 * several isolates that read the same state, and the sweep after one that died, give the same firing the same key. Of a
 * rule without a state it is the sweep's nearest slot.
 */
const firingKey = (rule: AlertRule, before: AlertState | undefined, now: number): string => {
  const slot = Duration.toMillis(sweepEvery)
  return `${rule.id}_${before?.evaluatedAt ?? Math.round(now / slot) * slot}`
}

interface Measured {
  readonly measured: number
  readonly threshold: number
  readonly holds: boolean
  /** Whether it is back beyond the hysteresis; never while it holds. */
  readonly back: boolean
}

const measure = (
  { condition, hysteresisPercent }: AlertRule,
  price: number,
  samples: Samples | undefined,
  average: number | undefined,
  now: number
): Measured | undefined => {
  const above = (threshold: number, measured: number, margin: number): Measured => ({
    measured,
    threshold,
    holds: measured >= threshold,
    back: measured < threshold - margin
  })
  const below = (threshold: number, measured: number, margin: number): Measured => ({
    measured,
    threshold,
    holds: measured <= threshold,
    back: measured > threshold + margin
  })
  const share = hysteresisPercent / 100
  switch (condition.kind) {
    case "price-above":
      return above(condition.price, price, condition.price * share)
    case "price-below":
      return below(condition.price, price, condition.price * share)
    case "percent-change": {
      const base = samples === undefined ? undefined : baseOf(condition, samples, now)
      if (base === undefined) return undefined
      const side = condition.percent > 0 ? above : below
      return side(condition.percent, (price / base - 1) * 100, hysteresisPercent)
    }
    case "crosses-average": {
      if (average === undefined) return undefined
      const side = condition.direction === "above" ? above : below
      return side(average, price, average * share)
    }
  }
}

type Samples = NonNullable<AlertState["samples"]>

type PercentChange = Extract<AlertCondition, { readonly kind: "percent-change" }>

/** Prices kept of one window: enough that the price of its beginning is known to a twenty-fourth of it. */
const samplesOfWindow = 24

const windowMillis = ({ windowMinutes }: PercentChange): number => windowMinutes * 60_000

const sampled = (condition: PercentChange, before: AlertState | undefined, quote: Observed["quote"], now: number) => {
  const window = windowMillis(condition)
  const kept = before?.samples ?? []
  const last = kept.at(-1)
  const all: Samples =
    last === undefined || now - last[0] >= window / samplesOfWindow ? [...kept, [now, quote.price]] : kept
  const base = all.findLastIndex(([at]) => at <= now - window)
  return all.slice(Math.max(0, base))
}

/** The last price of the window's beginning or before; unknown while the rule is younger, or after a longer gap. */
const baseOf = (condition: PercentChange, samples: Samples, now: number): number | undefined => {
  const window = windowMillis(condition)
  const base = samples.findLast(([at]) => at <= now - window)
  return base === undefined || base[0] < now - 2 * window ? undefined : base[1]
}

/** The simple moving average of the last `days` closes, oldest first; undefined while there are fewer. */
export const averageOf = (closes: ReadonlyArray<number>, days: number): number | undefined =>
  closes.length < days ? undefined : closes.slice(-days).reduce((sum, close) => sum + close, 0) / days
