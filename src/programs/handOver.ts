import * as Effect from "effect/Effect"
import { compareStamps, type Entry, isInvalidated, type Stamp, zeroStamp } from "../services/Entry.ts"
import { type Bill, noBill, type Work } from "../services/MigrationBill.ts"
import { nextStamp } from "../services/Shard.ts"
import type {
  DurableStoreOfRecord,
  HandOvers,
  Head,
  KvStoreOfRecord,
  Source,
  StoreOfRecordError,
  Target
} from "../services/StoresOfRecord.ts"

/** One direction of the switch: from where, to where, and who remembers. */
export interface Direction {
  readonly source: Source
  readonly target: Target
  readonly memory: HandOvers
  /** Invalidations that the target cannot be told of: what they ended in it has to be removed. */
  readonly endedBy: KvStoreOfRecord["marksOf"] | undefined
  /** For entries that Larder never wrote, whose version cannot tell that they changed. */
  readonly refreshed: DurableStoreOfRecord | undefined
  /** What handing over so much is billed. */
  readonly bill: (work: Work) => Bill
  readonly dryRun: boolean
  /** Whether to copy also what was handed over before. */
  readonly afresh: boolean
  readonly pageEntries: number
}

/** One page done, and where the next one begins. */
export interface PageDone {
  readonly cursor: string | undefined
  readonly entries: number
  readonly copied: number
  readonly dropped: number
  readonly refused: number
  readonly expected: Bill
}

export const nothingDone: PageDone = {
  cursor: undefined,
  entries: 0,
  copied: 0,
  dropped: 0,
  refused: 0,
  expected: noBill
}

/**
 * Hands over what of one page is above the version handed over last. What is not was made known to the target already:
 * if it is not there any more, it was deleted there. Remembered after it was taken: a run that dies between the two
 * copies the page again.
 */
export const copyPage = (
  direction: Direction,
  after: string | undefined
): Effect.Effect<PageDone, StoreOfRecordError> =>
  Effect.gen(function* () {
    const { afresh, bill, dryRun, memory, pageEntries, source, target } = direction
    const { cursor, heads } = yield* source.page(after, pageEntries)
    const agreed = yield* memory.agreed(heads.map(({ id }) => id))
    const isPending = (head: Head, index: number) => afresh || !isHandedOver(head, agreed[index])
    const pending = heads.filter(isPending)
    const counted = { ...nothingDone, cursor, entries: heads.length }
    if (dryRun) {
      const expected = bill({ heads: heads.length, pending: pending.length })
      return { ...counted, copied: pending.length, expected }
    }
    const deliver = (going: ReadonlyArray<Copy>) =>
      Effect.gen(function* () {
        const settled = yield* target.write(going)
        const taken = going.filter((_, index) => settled[index] === true)
        yield* memory.agree(
          taken.map(({ entry, id }) => ({ id, version: entry.stamp, expiresAt: entry.expiresAt, tags: entry.tags }))
        )
        return { copied: taken.length, refused: going.length - taken.length }
      })
    const delivered = yield* inPortions(source, pending, (part, entries) =>
      deliver(
        part.flatMap((head, index) => {
          const entry = entries[index]
          return entry === undefined ? [] : [{ id: head.id, entry: until(entry, head) }]
        })
      )
    )
    const known = heads.filter((head, index) => !isPending(head, index))
    const all = [...delivered, ...(yield* refresh(direction, known, deliver))]
    return {
      ...counted,
      copied: all.reduce((sum, { copied }) => sum + copied, 0),
      refused: all.reduce((sum, { refused }) => sum + refused, 0)
    }
  })

interface Copy {
  readonly id: string
  readonly entry: Entry
}

/**
 * Removes what of one page of the target was handed over and is gone from the source: it was deleted there. What was
 * never handed over stays, unless the source knows of an invalidation after it.
 */
export const dropPage = (
  { bill, dryRun, endedBy, memory, pageEntries, source, target }: Direction,
  after: string | undefined
): Effect.Effect<PageDone, StoreOfRecordError> =>
  Effect.gen(function* () {
    const { cursor, heads } = yield* target.page(after, pageEntries)
    const agreed = yield* memory.agreed(heads.map(({ id }) => id))
    const marks = endedBy === undefined ? noMarks : yield* endedBy(heads.flatMap(({ tags }) => tags))
    const isEnded = ({ tags, version }: Head) => isInvalidated({ tags, stamp: version }, marks)
    const ended = heads.filter(isEnded)
    const questioned = heads.filter((head, index) => isHandedOver(head, agreed[index]) && !isEnded(head))
    const unread = dryRun && endedBy !== undefined
    const missing = unread
      ? []
      : yield* inPortions(source, questioned, (part, entries) =>
          Effect.succeed(part.filter((_, index) => entries[index] === undefined))
        )
    const gone = [...ended, ...missing.flat()]
    if (!dryRun) {
      yield* target.remove(gone)
      const versions = new Map(heads.map(({ id }, index) => [id, agreed[index]]))
      yield* memory.forget(
        gone.flatMap(({ id }) => {
          const version = versions.get(id)
          return version === undefined ? [] : [{ id, version }]
        })
      )
    }
    const expected = dryRun
      ? bill({ heads: heads.length, questioned: questioned.length, gone: gone.length })
      : nothingDone.expected
    return { ...nothingDone, cursor, dropped: gone.length, expected }
  })

/**
 * Entries handed over before that Larder did not write in either store: all their versions are 0, so their values are
 * compared. A changed one gets the version above the copy's.
 */
const refresh = <A>(
  { refreshed, source }: Direction,
  heads: ReadonlyArray<Head>,
  deliver: (changed: ReadonlyArray<Copy>) => Effect.Effect<A, StoreOfRecordError>
): Effect.Effect<ReadonlyArray<A>, StoreOfRecordError> => {
  const foreign = heads.filter(({ version }) => compareStamps(version, zeroStamp) === 0)
  if (refreshed === undefined) return Effect.succeed([])
  const changed = (head: Head, copy: Entry | undefined): Effect.Effect<ReadonlyArray<Copy>, StoreOfRecordError> =>
    copy?.stamp.wall !== 0
      ? Effect.succeed([])
      : Effect.map(source.read([head]), ([entry]) =>
          entry === undefined || isSame(entry.value, copy.value)
            ? []
            : [{ id: head.id, entry: { ...until(entry, head), stamp: nextStamp(copy.stamp, "~") } }]
        )
  return inPortions(refreshed, foreign, (part, copies) =>
    Effect.flatMap(
      Effect.forEach(part, (head, index) => changed(head, copies[index]), { concurrency: 6 }),
      (found) => deliver(found.flat())
    )
  )
}

/** What becomes of each portion that the store answers for. */
const inPortions = <A>(
  { read }: Pick<Source, "read">,
  heads: ReadonlyArray<Head>,
  each: (part: ReadonlyArray<Head>, entries: ReadonlyArray<Entry | undefined>) => Effect.Effect<A, StoreOfRecordError>
): Effect.Effect<ReadonlyArray<A>, StoreOfRecordError> =>
  Effect.gen(function* () {
    const results: Array<A> = []
    for (let at = 0; at < heads.length; ) {
      const entries = yield* read(heads.slice(at))
      results.push(yield* each(heads.slice(at, at + entries.length), entries))
      at += entries.length
    }
    return results
  })

const noMarks: ReadonlyMap<string, Stamp> = new Map()

const isHandedOver = ({ version }: Head, agreed: Stamp | undefined): boolean =>
  agreed !== undefined && compareStamps(agreed, version) >= 0

/** Only a listing tells when an entry ends that Larder did not write. */
const until = (entry: Entry, { expiresAt }: Head): Entry => ({
  ...entry,
  expiresAt: Math.min(entry.expiresAt, expiresAt)
})

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
