import { compareUtf8 } from "../../../../services/kv/model/KvPaging.ts"
import type { RowHead, ShardRows, TrackedState } from "./shardRows.ts"

type Kind = "rows" | "marks"

/** Ids between two bounds, and at most so many ranges: marking one of them costs a row, looking through it a scan. */
const idsPerRange = 256
const mostRanges = 512

/**
 * What changed since the last base of the shard's snapshots, found again without an index, which would cost a row for
 * every write. Each row says in which epoch it changed last; which ranges of ids have any such row is remembered with
 * the state row, so that only those are looked through. An epoch ends where a base is begun.
 */
export const makeTracking = (rows: ShardRows, past: TrackedState | undefined) => {
  let { base, epoch } = past ?? { base: 0, epoch: 1 }
  let bounds: Record<Kind, ReadonlyArray<string>> | undefined
  let dirty = { rows: new Set(past?.rows), marks: new Set(past?.marks) }
  /** What changed since a base was begun that is not safe yet. */
  let fresh: Record<Kind, Set<string>> | undefined
  let sampled: Record<Kind, Array<string>> = { rows: [], marks: [] }
  let seen: Record<Kind, number> = { rows: 0, marks: 0 }
  let every = idsPerRange
  let added: Array<readonly [Kind, number]> = []

  const boundsOf = (kind: Kind): ReadonlyArray<string> => {
    bounds ??= (rows.note("bounds") as typeof bounds) ?? { rows: [], marks: [] }
    return bounds[kind]
  }

  /** The ranges, by number, as from and to; both may be undefined. */
  const rangeAt = (kind: Kind, range: number) => [boundsOf(kind)[range - 1], boundsOf(kind)[range]] as const

  const dirtyRanges = (kind: Kind) => [...dirty[kind]].sort((a, b) => a - b).map((range) => rangeAt(kind, range))

  return {
    state: (): TrackedState => ({ base, epoch, rows: [...dirty.rows], marks: [...dirty.marks] }),
    /** An id changes; whether that has to be remembered: not while all is saved as one. */
    touch: (kind: Kind, id: string): boolean => {
      if (base === 0 && fresh === undefined) return false
      fresh?.[kind].add(id)
      const range = rangeOf(boundsOf(kind), id)
      if (dirty[kind].has(range)) return false
      dirty[kind].add(range)
      added.push([kind, range])
      return true
    },
    /** To be called before a transaction; what it returns, when the transaction has failed. */
    beginTransaction: () => {
      added = []
      return () => {
        for (const [kind, range] of added) dirty[kind].delete(range)
      }
    },
    /** What a row is to say of its change: its epoch, and whether a base may have what stood there before. */
    sinceOf: (before: RowHead | undefined): number => {
      if (before === undefined) return 2 * epoch
      return before.since >= 2 * epoch ? before.since : 2 * epoch + 1
    },
    markSince: () => 2 * epoch,
    /** Whether a row must not go without a trace: what a base has under its id would come back. */
    isShadowing: ({ since }: Pick<RowHead, "since">): boolean =>
      since % 2 === 1 && since >= 2 * (base + 1) && (base > 0 || fresh !== undefined),
    /** The least that a row says which changed after an epoch: after the last base. */
    least: (after = base) => 2 * (after + 1),
    dirtyRanges,
    /** The epoch that ends; what changes from now on is not in the base that is begun. */
    begin: (): number => {
      const ended = epoch
      epoch += 1
      fresh = { rows: new Set(), marks: new Set() }
      sampled = { rows: [], marks: [] }
      seen = { rows: 0, marks: 0 }
      every = idsPerRange
      return ended
    },
    /** An id goes into the base, in order. */
    passed: (kind: Kind, id: string): void => {
      seen[kind] += 1
      if (seen[kind] % every === 0) sampled[kind].push(id)
      if (sampled[kind].length < mostRanges) return
      sampled[kind] = sampled[kind].filter((_, index) => index % 2 === 1)
      every *= 2
    },
    /** A base of all until the end of that epoch is safe, or of what changed until then. */
    commit: (ended: number, isWhole: boolean): void => {
      base = ended
      if (isWhole) {
        bounds = sampled
        rows.saveNote("bounds", bounds)
      }
      const rangesOf = (kind: Kind) => new Set([...(fresh?.[kind] ?? [])].map((id) => rangeOf(boundsOf(kind), id)))
      dirty = { rows: rangesOf("rows"), marks: rangesOf("marks") }
      fresh = undefined
    },
    /** Whether there is a base that changes can be told from. */
    tracked: () => base > 0,
    /** No base is under way any more. */
    abandon: (): void => {
      fresh = undefined
    },
    /** All is saved as one, or must be. */
    forget: (): void => {
      base = 0
      dirty = { rows: new Set(), marks: new Set() }
      fresh = undefined
    }
  }
}

/** The number of bounds that are not above the id. */
const rangeOf = (bounds: ReadonlyArray<string>, id: string): number => {
  let [low, high] = [0, bounds.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareUtf8(bounds[middle]!, id) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
