import * as Context from "effect/Context"

/** What prediction has come to in this isolate. Counts since its start; ratios are 0 where there is nothing to divide. */
export interface PrefetchStats {
  /** Reads that had a session, and were learned from. */
  readonly observed: number
  readonly sessions: number
  /** Ids known, and bytes of the tables, the ids' own text not counted. */
  readonly ids: number
  readonly bytes: number
  /** Predictions handed out. */
  readonly issued: number
  /** Of these, asked for within the session's next {@link horizon} requests, and not. */
  readonly used: number
  readonly wasted: number
  /** `used / (used + wasted)`. */
  readonly precision: number
  /** First reads of an id in a session, as far as the session's history reaches, and how many of them were predicted. */
  readonly coverable: number
  readonly covered: number
  /** `covered / coverable`. */
  readonly coverage: number
  /** Of the used, the share that was in memory when it was asked for. */
  readonly timeliness: number
  /** Predicted entries that came along with others: rows read that nobody had asked for, and bytes. */
  readonly carried: number
  readonly carriedBytes: number
  /** Confidence that a prediction needs now. */
  readonly threshold: number
}

/** A prediction is used if its session asks for it within this many requests. */
export const horizon = 10

/** Predictions that are handed out at once, at most. */
export const maxPredictions = 8

/** Plain synchronous functions with the clock passed in (milliseconds), as they stand in the way of every read. */
export interface PrefetchService {
  /** False for the layer that predicts nothing, so that callers need not ask. */
  readonly enabled: boolean
  /** Learns from one read. `held`: whether memory could answer it. */
  readonly note: (session: string, id: string, now: number, held: boolean) => void
  /**
   * What the session will ask for, as far as that is certain enough and not `held` already. What is handed out counts
   * as issued: its use or waste moves the threshold. `atLeast`: confidence that is needed in any case.
   */
  readonly take: (session: string, held: (id: string) => boolean, atLeast?: number) => ReadonlyArray<string>
  /** Counts predicted entries that came along with others, and their bytes. */
  readonly carried: (entries: number, bytes: number) => void
  /** Both at once: what is worth having after one read. */
  readonly observe: (session: string, id: string, now: number) => ReadonlyArray<string>
  /** Ids that were asked for in this quarter of an hour on most days, by any client. */
  readonly usual: (now: number) => ReadonlyArray<string>
  /** What was learned, compact and checked; undefined as long as nothing was. */
  readonly state: () => Uint8Array | undefined
  /**
   * Takes in what another isolate, or this one's predecessor, learned: of two accounts of one context that with the
   * more evidence. False for bytes that are no state.
   */
  readonly restore: (bytes: Uint8Array) => boolean
  readonly stats: () => PrefetchStats
}

export const noPrefetchStats: PrefetchStats = {
  observed: 0,
  sessions: 0,
  ids: 0,
  bytes: 0,
  issued: 0,
  used: 0,
  wasted: 0,
  precision: 0,
  coverable: 0,
  covered: 0,
  coverage: 0,
  timeliness: 0,
  carried: 0,
  carriedBytes: 0,
  threshold: 1
}

/** Learns nothing and predicts nothing. */
export const off: PrefetchService = {
  enabled: false,
  note: () => {},
  take: () => [],
  carried: () => {},
  observe: () => [],
  usual: () => [],
  state: () => undefined,
  restore: () => false,
  stats: () => noPrefetchStats
}

/**
 * Which ids a session will ask for next, learned from what sessions asked for before; ids are `collection/key`. A
 * reference: nothing is predicted unless a layer says so.
 */
export class Prefetch extends Context.Reference<Prefetch>()("larder/Prefetch", {
  defaultValue: (): PrefetchService => off
}) {}
