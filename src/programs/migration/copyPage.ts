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
    const { dryRun, memory, pageEntries, source, tariff, to } = direction
    const { cursor, heads } = yield* source.page(after, pageEntries)
    const { noted, pending, there } = yield* sorted(direction, heads)
    const counted = { ...nothingDone, cursor, entries: heads.length }
    if (dryRun) {
      const expected = tariff.copying({ heads: heads.length, pending: pending.length, noted: noted.length })
      return { ...counted, copied: pending.length, expected }
    }
    yield* memory.agree(noted, to)
    const copied = yield* inBatches(source, pending, (part, entries) =>
      deliver(
        direction,
        part.flatMap((head, index) => {
          const entry = entries[index]
          return entry === undefined ? [] : [{ id: head.id, entry: until(entry, head) }]
        })
      )
    )
    const all = [...copied, ...(yield* refresh(direction, there))]
    return {
      ...counted,
      copied: all.reduce((sum, { copied }) => sum + copied, 0),
      refused: all.reduce((sum, { refused }) => sum + refused, 0)
    }
  })

/**
 * What of a page the target has: what was handed over when it may have been in force, and what else its copies hold. The
 * rest is pending. Noted are those that were handed over the other way before.
 */
const sorted = ({ copies, memory, to }: Direction, heads: ReadonlyArray<Head>) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const agreed = yield* memory.agreed(heads.map(({ id }) => id))
    const versions = new Map(heads.map(({ id }, index) => [id, agreed[index]]))
    const handedOver = heads.filter((head) => wasHandedOver(head, versions.get(head.id)))
    const sure = handedOver.filter(({ id }) => mayHaveBeenInForce(to, versions.get(id), now))
    const doubtful = handedOver.filter((head) => !sure.includes(head))
    const there = [...sure, ...(copies === undefined ? [] : yield* heldIn(copies, doubtful))]
    return {
      there,
      pending: heads.filter((head) => !there.includes(head)),
      noted: there
        .filter(({ id }) => versions.get(id)?.to !== to)
        .map((head) => ({ ...head, version: versions.get(head.id)!.version }))
    }
  })

/** Writes entries to the target, and notes those that it took. */
const deliver = ({ memory, target, to }: Direction, entries: ReadonlyArray<Copy>) =>
  Effect.gen(function* () {
    const settled = yield* target.write(entries)
    const taken = entries.filter((_, index) => settled[index] === true)
    yield* memory.agree(
      taken.map(({ entry, id }) => ({ id, version: entry.stamp, expiresAt: entry.expiresAt })),
      to
    )
    return { copied: taken.length, refused: entries.length - taken.length }
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
const refresh = (direction: Direction, heads: ReadonlyArray<Head>) => {
  const { copies, source } = direction
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
      (entries) => deliver(direction, entries.flat())
    )
  )
}

/** Only a listing tells when an entry ends that Larder did not write. */
const until = (entry: Entry, { expiresAt }: Head): Entry => ({
  ...entry,
  expiresAt: Math.min(entry.expiresAt, expiresAt)
})
