import { dateOf, dayMillis } from "../../base/model/UtcDay.ts"
import type { LedgerTotals } from "../../ledger/Ledger.ts"
import type { SettingChange } from "../../settings/model/RuntimeState.ts"
import type { Figures } from "./Figures.ts"
import { type Summary, summaryOf } from "./Performance.ts"
import type { Recommendation } from "./Recommendation.ts"

/** A figure of a day beside that of the day before. */
export interface DayChange {
  readonly figure: "requests" | "hitRatio" | "p95" | "errorRatio" | "usdSpent" | "kvWrites"
  readonly before: number | null
  readonly now: number | null
}

/** What a UTC day came to: what was saved, what changed, and what is to be done about it. */
export interface DayReport {
  /** ISO 8601, `2026-11-27`. */
  readonly date: string
  /** Whether the day is over. */
  readonly complete: boolean
  readonly saved: Summary["usd"] & {
    /** Billed KV keys and lists, and what would have been without Larder. */
    readonly kvOperations: number
    readonly kvOperationsWithoutLarder: number
  }
  /** Undefined for the first day. */
  readonly changed: ReadonlyArray<DayChange> | undefined
  readonly settings: ReadonlyArray<SettingChange>
  readonly toDo: ReadonlyArray<Recommendation>
  /** The same in sentences. */
  readonly text: ReadonlyArray<string>
}

export interface ReportedDay {
  /** Milliseconds since the epoch when it began. */
  readonly at: number
  readonly figures: Figures
}

/** A change by less than this share is not worth a sentence. */
const worthSaying = 0.1

const sum = (counts: object): number => Object.values(counts).reduce((total: number, one) => total + one, 0)

const figuresOf = ({ errorRatio, hitRatio, kv, p95, requests, usd }: Summary) => ({
  requests,
  hitRatio,
  p95,
  errorRatio,
  usdSpent: usd.spent,
  kvWrites: kv.writes
})

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const count = (value: number): string => Math.round(value).toLocaleString("en-US")
const usd = (value: number): string => `$${value.toFixed(value !== 0 && Math.abs(value) < 0.01 ? 6 : 2)}`

const said: { readonly [F in DayChange["figure"]]: readonly [name: string, write: (value: number) => string] } = {
  requests: ["requests", count],
  hitRatio: ["the hit ratio", percent],
  p95: ["p95", (value) => `${value.toFixed(1)} ms`],
  errorRatio: ["the share of errors", percent],
  usdSpent: ["what was spent", usd],
  kvWrites: ["KV writes", count]
}

const sentenceOf = ({ before, figure, now }: DayChange): string | undefined => {
  if (before === null || now === null || Math.abs(now - before) <= worthSaying * Math.abs(before)) return undefined
  const [name, write] = said[figure]
  return `${name} went from ${write(before)} to ${write(now)}`
}

/** @param toDo what the figures of the day recommend */
export const reportOf = (
  day: ReportedDay,
  before: ReportedDay | undefined,
  about: {
    readonly now: number
    readonly shape: LedgerTotals
    readonly history: ReadonlyArray<SettingChange>
    readonly toDo: ReadonlyArray<Recommendation>
  }
): DayReport => {
  const { shape, toDo } = about
  const summary = summaryOf(day.figures, shape)
  const was = before === undefined ? undefined : figuresOf(summaryOf(before.figures, shape))
  const is = figuresOf(summary)
  const changed =
    was === undefined
      ? undefined
      : (Object.keys(is) as Array<DayChange["figure"]>).map((figure) => ({
          figure,
          before: was[figure],
          now: is[figure]
        }))
  const settings = about.history.filter(({ at }) => at >= day.at && at < day.at + dayMillis)
  const kvOperations = sum(summary.kv)
  const kvOperationsWithoutLarder = sum(summary.logical)
  const sentences = (changed ?? []).flatMap((one) => sentenceOf(one) ?? [])
  return {
    date: dateOf(day.at),
    complete: day.at + dayMillis <= about.now,
    saved: { ...summary.usd, kvOperations, kvOperationsWithoutLarder },
    changed,
    settings,
    toDo,
    text: [
      `Saved ${usd(summary.usd.saved)}: ${usd(summary.usd.spent)} instead of ${usd(summary.usd.withoutLarder)}, and ${count(kvOperations)} KV operations instead of ${count(kvOperationsWithoutLarder)}.`,
      changed === undefined
        ? "There is no day before to compare with."
        : sentences.length === 0
          ? "Nothing changed by more than a tenth against the day before."
          : `Against the day before, ${sentences.join("; ")}.`,
      ...settings.map(({ by, name, to }) => `${name} was set to ${to ?? "what is deployed"} by ${by}.`),
      ...(toDo.length === 0
        ? ["Nothing to do."]
        : toDo.map(({ saves, title }) => `To do: ${title} (${usd(saves.usdPerMonth)} a month).`))
    ]
  }
}
