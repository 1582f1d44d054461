import { type Figures, noFigures, plus } from "../../../services/monitoring/model/Figures.ts"

export interface Span {
  /** Counted from 1970 in the spans of its series. */
  readonly at: number
  readonly figures: Figures
}

/** Rows of a series are used again in turn, so that there are never more. */
export const series = [
  { name: "minutes", millis: 60_000, rows: 120 },
  { name: "hours", millis: 3_600_000, rows: 72 },
  { name: "days", millis: 86_400_000, rows: 90 }
] as const

export type SeriesName = (typeof series)[number]["name"]

/** The span that is being counted, with news; and the one before it, where that has ended. */
export const grown = (
  open: Span | undefined,
  news: Figures,
  millis: number,
  now: number
): { readonly open: Span; readonly ended: Span | undefined } => {
  const at = Math.floor(now / millis)
  return open !== undefined && open.at >= at
    ? { open: { at: open.at, figures: plus(open.figures, news) }, ended: undefined }
    : { open: { at, figures: plus(noFigures, news) }, ended: open }
}
