import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { compareStamps, type Entry, isInvalidated, type Stamp, zeroStamp } from "../services/Entry.ts"
import { type Bill, noBill, type Tariff } from "../services/MigrationBill.ts"
import { type Mode, otherThan } from "../services/RecordedMode.ts"
import { nextStamp } from "../services/Shard.ts"
import type {
  HandOver,
  HandOvers,
  Head,
  KvStoreOfRecord,
  Source,
  StoreOfRecordError,
  Target
} from "../services/StoresOfRecord.ts"

/** One direction of the switch: from where, to where, and who remembers. */
export interface Direction {
  readonly to: Mode
  readonly source: Source
  readonly target: Target
  readonly memory: HandOvers
  /** Invalidations that the target cannot be told of: what they ended in it has to be removed. */
  readonly endedBy: KvStoreOfRecord["marksOf"] | undefined
  /** The target, where it costs next to nothing to ask it what it holds. */
  readonly copies: Pick<Source, "read"> | undefined
  readonly tariff: Tariff
  readonly dryRun: boolean
  readonly pageEntries: number
}

/**
 * For so long after a hand-over either store may have been in force: the flag may have been changed back, and isolates
 * may still have run the old one. What one store lost later than that while the other was in force was not deleted by
 * anyone who used it.
 */
const unsureFor = Duration.hours(1)

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
 * Hands over what of one page is above the version handed over last, and what the target, having been out of force, has
 * lost. Anything else was made known to it: if it is not there any more, it was deleted there. Noted after it was taken:
 * a run that dies between the two copies the page again.
 */
export const copyPage = (
  direction: Direction,
  after: string | undefined
): Effect.Effect<PageDone, StoreOfRecordError> =>
  Effect.gen(function* () {
    const { copies, dryRun, memory, pageEntries, source, target, tariff, to } = direction
    const now = yield* Clock.currentTimeMillis
    const { cursor, heads } = yield* source.page(after, pageEntries)
    const agreed = yield* memory.agreed(heads.map(({ id }) => id))
    const known = heads.filter((head, index) => wasHandedOver(head, agreed[index]))
    const versions = new Map(heads.map(({ id }, index) => [id, agreed[index]]))
    const sure = known.filter(({ id }) => mayHaveBeenInForce(to, versions.get(id), now))
    const doubtful = known.filter((head) => !sure.includes(head))
    const held = copies === undefined ? [] : yield* heldIn(copies, doubtful)
    const pending = heads.filter((head) => !sure.includes(head) && !held.includes(head))
    const noted = [...sure, ...held].filter(({ id }) => versions.get(id)?.to !== to)
    const counted = { ...nothingDone, cursor, entries: heads.length }
    if (dryRun) {
      const expected = tariff.copying({ heads: heads.length, pending: pending.length, noted: noted.length })
      return { ...counted, copied: pending.length, expected }
    }
    yield* memory.agree(
      noted.map((head) => ({ ...head, version: versions.get(head.id)!.version })),
      to
    )
    const deliver = (going: ReadonlyArray<Copy>) =>
      Effect.gen(function* () {
        const settled = yield* target.write(going)
        const taken = going.filter((_, index) => settled[index] === true)
        yield* memory.agree(
          taken.map(({ entry, id }) => ({ id, version: entry.stamp, expiresAt: entry.expiresAt })),
          to
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
    const all = [...delivered, ...(yield* refresh(direction, [...sure, ...held], deliver))]
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
  { dryRun, endedBy, memory, pageEntries, source, target, tariff, to }: Direction,
  after: string | undefined
): Effect.Effect<PageDone, StoreOfRecordError> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const { cursor, heads } = yield* target.page(after, pageEntries)
    const agreed = yield* memory.agreed(heads.map(({ id }) => id))
    const marks = endedBy === undefined ? noMarks : yield* endedBy(heads.flatMap(({ tags }) => tags))
    const isEnded = ({ tags, version }: Head) => isInvalidated({ tags, stamp: version }, marks)
    const ended = heads.filter(isEnded)
    const questioned = heads.filter((head, index) => {
      const handOver = agreed[index]
      return wasHandedOver(head, handOver) && mayHaveBeenInForce(otherThan(to), handOver, now) && !isEnded(head)
    })
    const unread = dryRun && endedBy !== undefined
    const missing = unread ? [] : yield* missingIn(source, questioned)
    const gone = [...ended, ...missing]
    if (dryRun) {
      const expected = tariff.dropping({
        heads: heads.length,
        questioned: questioned.length,
        gone: gone.length
      })
      return { ...nothingDone, cursor, dropped: gone.length, expected }
    }
    yield* target.remove(gone)
    const noted = heads.filter((_, index) => agreed[index] !== undefined)
    yield* memory.forget(noted.filter((head) => gone.includes(head)).map(({ id }) => id))
    return { ...nothingDone, cursor, dropped: gone.length }
  })

/**
 * Entries handed over before that Larder did not write in either store: all their versions are 0, so their values are
 * compared. A changed one gets the version above the copy's.
 */
const refresh = <A>(
  { copies, source }: Direction,
  heads: ReadonlyArray<Head>,
  deliver: (changed: ReadonlyArray<Copy>) => Effect.Effect<A, StoreOfRecordError>
): Effect.Effect<ReadonlyArray<A>, StoreOfRecordError> => {
  const foreign = heads.filter(({ version }) => compareStamps(version, zeroStamp) === 0)
  if (copies === undefined) return Effect.succeed([])
  const changed = (head: Head, copy: Entry | undefined): Effect.Effect<ReadonlyArray<Copy>, StoreOfRecordError> =>
    copy?.stamp.wall !== 0
      ? Effect.succeed([])
      : Effect.map(source.read([head]), ([entry]) =>
          entry === undefined || isSame(entry.value, copy.value)
            ? []
            : [{ id: head.id, entry: { ...until(entry, head), stamp: nextStamp(copy.stamp, "~") } }]
        )
  return inPortions(copies, foreign, (part, found) =>
    Effect.flatMap(
      Effect.forEach(part, (head, index) => changed(head, found[index]), { concurrency: 6 }),
      (entries) => deliver(entries.flat())
    )
  )
}

/** Those of which the store has this version, or a later one. */
const heldIn = (store: Pick<Source, "read">, heads: ReadonlyArray<Head>) =>
  Effect.map(
    inPortions(store, heads, (part, entries) =>
      Effect.succeed(
        part.filter(({ version }, index) => {
          const entry = entries[index]
          return entry !== undefined && compareStamps(entry.stamp, version) >= 0
        })
      )
    ),
    (parts) => parts.flat()
  )

const missingIn = (store: Pick<Source, "read">, heads: ReadonlyArray<Head>) =>
  Effect.map(
    inPortions(store, heads, (part, entries) =>
      Effect.succeed(part.filter((_, index) => entries[index] === undefined))
    ),
    (parts) => parts.flat()
  )

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

const wasHandedOver = ({ version }: Head, handOver: HandOver | undefined): boolean =>
  handOver !== undefined && compareStamps(handOver.version, version) >= 0

/** Whether the store of the mode may have been in force since the hand-over, so that what it lacks was deleted in it. */
const mayHaveBeenInForce = (mode: Mode, handOver: HandOver | undefined, now: number): boolean =>
  handOver !== undefined && (handOver.to === mode || now - handOver.at < Duration.toMillis(unsureFor))

/** Only a listing tells when an entry ends that Larder did not write. */
const until = (entry: Entry, { expiresAt }: Head): Entry => ({
  ...entry,
  expiresAt: Math.min(entry.expiresAt, expiresAt)
})

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
