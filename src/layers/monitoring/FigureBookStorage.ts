import type { FigurePoint, FigureView } from "../../services/monitoring/FigureBook.ts"
import type { Carried } from "../../services/monitoring/model/Carried.ts"
import { type Figures, noFigures, plus } from "../../services/monitoring/model/Figures.ts"
import { grown, type SeriesName, type Span, series } from "./internal/figureSeries.ts"

/** The part of an object's storage that is used. */
export interface BookStorage {
  readonly put: (key: string, value: unknown) => void
  readonly list: <A>(options: { readonly prefix: string }) => Iterable<[string, A]>
}

/** One row a minute at most, while anything is told. */
const saveMillis = 60_000

/** Isolates whose sequences are remembered; one that was forgotten is believed. */
const mostIsolates = 512

/** An isolate that told something within this counts as alive. */
const aliveMillis = 15 * 60_000

/** The row of a minute, which also holds what the minutes before it have come to: the newest is all that is needed. */
interface Kept {
  readonly since: number
  readonly total: Figures
  readonly open: { readonly [S in SeriesName]?: Span }
  readonly saved: ReadonlyArray<readonly [isolate: string, sequence: number, at: number]>
}

interface Row extends Span {
  readonly kept?: Kept
}

const rowKey = (name: SeriesName, at: number, rows: number): string => `figures/${name}/${at % rows}`

/** The figures of all isolates in the storage of one object. What was taken is on disk within the minute that follows. */
export const make = (storage: BookStorage) => {
  let kept: Kept | undefined
  let savedAt = Number.NEGATIVE_INFINITY
  /** What was told since the last save, by isolate: all of it that is not on disk. */
  const told = new Map<string, Pick<Carried, "sequence" | "figures"> & { readonly at: number }>()
  let sequences = new Map<string, { readonly sequence: number; readonly at: number }>()

  const loaded = (now: number): Kept => {
    if (kept === undefined) {
      let newest: Row | undefined
      for (const [, row] of storage.list<Row>({ prefix: "figures/minutes/" })) {
        if (row.kept !== undefined && (newest === undefined || row.at > newest.at)) newest = row
      }
      kept = newest?.kept ?? { since: now, total: noFigures, open: {}, saved: [] }
      if (newest !== undefined) savedAt = newest.at * saveMillis
      sequences = new Map(kept.saved.map(([isolate, sequence, at]) => [isolate, { sequence, at }]))
    }
    return kept
  }

  const pending = (): Figures => [...told.values()].reduce((sum, { figures }) => plus(sum, figures), noFigures)

  const put = (name: SeriesName, at: number, rows: number, row: Row): void => {
    storage.put(rowKey(name, at, rows), row)
  }

  const save = (now: number): void => {
    const before = loaded(now)
    const news = pending()
    for (const [isolate, { at, sequence }] of told) {
      sequences.delete(isolate)
      sequences.set(isolate, { sequence, at })
    }
    told.clear()
    while (sequences.size > mostIsolates) sequences.delete(sequences.keys().next().value!)
    const open: { [S in SeriesName]?: Span } = {}
    for (const { millis, name, rows } of series) {
      const step = grown(before.open[name], news, millis, now)
      open[name] = step.open
      if (step.ended !== undefined && name !== "minutes") put(name, step.ended.at, rows, step.ended)
    }
    const saved = [...sequences].map(([isolate, { at, sequence }]) => [isolate, sequence, at] as const)
    kept = { since: before.since, total: plus(before.total, news), open, saved }
    const minute = open.minutes!
    put("minutes", minute.at, series[0].rows, { ...minute, kept })
    savedAt = now
  }

  /** Takes what an isolate tells; the last sequence of its that is on disk. */
  const take = ({ base, figures, isolate, sequence }: Carried, now: number): number => {
    loaded(now)
    const known = sequences.get(isolate)?.sequence ?? 0
    if (base >= known && (told.get(isolate)?.sequence ?? 0) < sequence) {
      told.set(isolate, { sequence, figures, at: now })
    }
    if (told.size > 0 && now - savedAt >= saveMillis) save(now)
    return sequences.get(isolate)?.sequence ?? 0
  }

  const pointsOf = (name: SeriesName, now: number): ReadonlyArray<FigurePoint> => {
    const { millis, rows } = series.find((one) => one.name === name)!
    const spans = new Map<number, Figures>()
    for (const [, { at, figures }] of storage.list<Row>({ prefix: `figures/${name}/` })) spans.set(at, figures)
    const { open } = grown(loaded(now).open[name], pending(), millis, now)
    const last = loaded(now).open[name]
    if (last !== undefined) spans.set(last.at, last.figures)
    spans.set(open.at, open.figures)
    return [...spans]
      .filter(([at]) => at > Math.floor(now / millis) - rows)
      .sort(([a], [b]) => a - b)
      .map(([at, figures]) => ({ at: at * millis, figures }))
  }

  return {
    take,
    view: (now: number): FigureView => {
      const { since, total } = loaded(now)
      const lately = [...sequences, ...told].filter(([, { at }]) => now - at < aliveMillis)
      return {
        scope: "all",
        since,
        isolates: new Set(lately.map(([isolate]) => isolate)).size,
        total: plus(total, pending()),
        minutes: pointsOf("minutes", now),
        hours: pointsOf("hours", now),
        days: pointsOf("days", now)
      }
    },
    /** Of this UTC day. */
    today: (now: number): Figures => {
      const { open } = grown(loaded(now).open.days, pending(), 86_400_000, now)
      return open.figures
    }
  }
}
