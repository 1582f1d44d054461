import type { StoredResponse } from "./StoredResponse.ts"

/** What is no answer any more if it was asked for before `at` (milliseconds since the epoch). */
export interface PurgeMark {
  readonly at: number
  readonly tags?: ReadonlyArray<string>
  /** Beginnings of URLs' paths: `/products/` purges `/products/7?x=1` of every host. */
  readonly pathPrefixes?: ReadonlyArray<string>
  readonly everything?: true
}

const pathOf = (url: string): string => {
  const start = url.indexOf("/", url.indexOf("//") + 2)
  return start === -1 ? "/" : url.slice(start)
}

const covers = (mark: PurgeMark, stored: StoredResponse): boolean =>
  stored.requestTime <= mark.at &&
  (mark.everything === true ||
    mark.tags?.some((tag) => stored.tags.includes(tag)) === true ||
    mark.pathPrefixes?.some((prefix) => pathOf(stored.url).startsWith(prefix)) === true)

export const isPurged = (stored: StoredResponse, marks: ReadonlyArray<PurgeMark>): boolean =>
  marks.some((mark) => covers(mark, stored))

/** Marks kept; beyond that the older half becomes one mark over everything. */
const most = 500

/** The marks with one more. Those older than `retained` milliseconds mark nothing that is still kept. */
export const added = (marks: ReadonlyArray<PurgeMark>, mark: PurgeMark, retained: number): ReadonlyArray<PurgeMark> => {
  const living = marks.filter(({ at }) => at > mark.at - retained)
  if (living.length < most) return [...living, mark]
  const half = living.slice(0, most / 2)
  return [{ at: Math.max(...half.map(({ at }) => at)), everything: true }, ...living.slice(most / 2), mark]
}
