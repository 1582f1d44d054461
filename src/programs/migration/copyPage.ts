import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { sameBytes } from "../../services/base/model/ByteCodec.ts"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import { nextStamp } from "../../services/durable/Shard.ts"
import type { CopySource, Head, StoreOfRecordError } from "../../services/migration/StoresOfRecord.ts"
import { compareStamps, type Entry, zeroStamp } from "../../services/store/model/Entry.ts"
import {
  type Direction,
  headsWhere,
  inBatches,
  mayHaveBeenInForce,
  nothingDone,
  type PageDone,
  wasHandedOver
} from "./migrationDirection.ts"

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
    const delivered = yield* inBatches(source, pending, (part, entries) =>
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

/** Those of which the store has this version, or a later one. */
const heldIn = (store: Pick<CopySource, "read">, heads: ReadonlyArray<Head>) =>
  headsWhere(store, heads, (entry, { version }) => entry !== undefined && compareStamps(entry.stamp, version) >= 0)

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
          entry === undefined || sameBytes(entry.value, copy.value)
            ? []
            : [{ id: head.id, entry: { ...until(entry, head), stamp: nextStamp(copy.stamp, "~") } }]
        )
  return inBatches(copies, foreign, (part, found) =>
    Effect.flatMap(
      Effect.forEach(part, (head, index) => changed(head, found[index]), { concurrency: openConnections }),
      (entries) => deliver(entries.flat())
    )
  )
}

/** Only a listing tells when an entry ends that Larder did not write. */
const until = (entry: Entry, { expiresAt }: Head): Entry => ({
  ...entry,
  expiresAt: Math.min(entry.expiresAt, expiresAt)
})
