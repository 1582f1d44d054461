import type { Stamp } from "../../../src/services/store/model/Entry.ts"

/** What happened, line by line, for a reader who asks why a rule was found broken; and how often what did. */
export interface DurableTrace {
  readonly lines: ReadonlyArray<string>
  readonly counts: Readonly<Record<string, number>>
  /** Whole milliseconds since the epoch, by the true clock. */
  readonly now: () => number
  /** A moment as the trace shows it. */
  readonly since: (at: number) => string
  readonly versionText: (version: Stamp) => string
  readonly tell: (what: string) => void
  readonly count: (what: string) => void
  /** A call of an isolate to an object ended: `well` if it was answered as asked. */
  readonly called: (isolate: number, object: string, well: boolean) => void
  /** Whether one that ended since a moment, or the last one before, was not well. */
  readonly troubledSince: (isolate: number, object: string, since: number) => boolean
  /** A rule is broken: the run ends here. */
  readonly broken: (rule: string) => never
  /** Whatever its members throw is no failure of the world's: it ends the run as a broken rule does. */
  readonly unfailing: <A extends object>(part: A) => A
  /** The first rule found broken, no matter who caught the error. */
  readonly found: () => string | undefined
}

/** @param began the moment that is shown as 0 */
export const makeTrace = (now: () => number, began: number): DurableTrace => {
  const lines: Array<string> = []
  const counts: Record<string, number> = {}
  let found: string | undefined
  const calls = new Map<string, Array<{ readonly at: number; readonly well: boolean }>>()
  const since = (at: number): string => String(Math.floor(at) - began)
  const tell = (what: string): void => {
    lines.push(`${since(now()).padStart(9)}  ${what}`)
  }
  const broken = (rule: string): never => {
    tell(`BROKEN: ${rule}`)
    found ??= rule
    throw new Error(rule)
  }
  return {
    lines,
    counts,
    now,
    since,
    versionText: ({ counter, wall, writer }) => `${since(wall)}.${counter}.${writer}`,
    tell,
    count: (what) => {
      counts[what] = (counts[what] ?? 0) + 1
    },
    called: (isolate, object, well) => {
      const known = calls.get(`${isolate}:${object}`) ?? []
      calls.set(`${isolate}:${object}`, known)
      known.push({ at: now(), well })
    },
    troubledSince: (isolate, object, since) => {
      const all = calls.get(`${isolate}:${object}`) ?? []
      const before = all.findLast(({ at }) => at < since)
      return before?.well === false || all.some(({ at, well }) => at >= since && !well)
    },
    broken,
    unfailing: (part) => {
      const guarded =
        (member: (...args: ReadonlyArray<unknown>) => unknown) =>
        (...args: ReadonlyArray<unknown>) => {
          try {
            return member(...args)
          } catch (error) {
            return broken(found ?? (error instanceof Error ? `${error.stack}` : `${error}`))
          }
        }
      return Object.fromEntries(
        Object.entries(part).map(([name, member]) => [name, typeof member === "function" ? guarded(member) : member])
      ) as typeof part
    },
    found: () => found
  }
}
