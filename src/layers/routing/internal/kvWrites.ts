import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { sameBytes } from "../../../services/base/model/ByteCodec.ts"
import type { BatcherService, StampedWrite, WriteOutcome } from "../../../services/batching/Batcher.ts"
import { KvError, limits } from "../../../services/kv/Kv.ts"
import type { Settings } from "../../../services/settings/Settings.ts"
import { compareStamps, type Entry } from "../../../services/store/model/Entry.ts"
import { areSameTags } from "../../../services/store/model/Tags.ts"
import { StoreError } from "../../../services/store/Store.ts"
import type { Address, Outcome, ReadPath } from "../../../services/tiers/ReadPath.ts"
import type { KvEntries } from "../kvEntries.ts"

/**
 * How old the knowledge may be that a value is stored already: two writes closer than KV's propagation are not ordered
 * anyway, so leaving the later one out is not told from its having come first. Milliseconds.
 */
const knownMillis = 60_000

const looksStored = (held: Entry, next: Entry): boolean =>
  held.contentType === next.contentType && areSameTags(held.tags, next.tags) && sameBytes(held.value, next.value)

/** Whether its life is not shortened by leaving the new one out, and more than half of the new one's is left of it. */
const livesOn = (held: Entry, next: Entry, now: number): boolean =>
  held.expiresAt === next.expiresAt ||
  (held.expiresAt <= next.expiresAt && held.expiresAt - now > (next.expiresAt - now) / 2)

/** Writes to KV: what is stored already is left out, the others go through the batcher, and later reads here see them. */
export const makeKvWrites = (
  readPath: ReadPath["Type"],
  settings: Settings["Type"],
  entries: KvEntries,
  batcher: BatcherService,
  authorityOfMany: (addresses: ReadonlyArray<Address>) => Effect.Effect<ReadonlyArray<Outcome>>
) => {
  let unchanged = 0
  const largest = Math.min(settings.maxValueBytes, limits.valueBytes)

  /** What is stored in place of each write, if that is known, or worth a read: a tenth of a write's price. */
  const stored = (writes: ReadonlyArray<StampedWrite>): Effect.Effect<ReadonlyArray<Entry | undefined>> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const same = (found: Entry | undefined, entry: Entry): Entry | undefined =>
        found !== undefined && looksStored(found, entry) && livesOn(found, entry, now) ? found : undefined
      const known = writes.map(({ address, entry }) => {
        const held = entry && readPath.known(address, now)
        return held?.entry !== undefined &&
          same(held.entry, entry!) !== undefined &&
          compareStamps(held.entry.stamp, entry!.stamp) < 0
          ? { entry: held.entry, sure: now - held.readAt < knownMillis }
          : undefined
      })
      const doubtful = writes.filter((_, index) => known[index]?.sure === false)
      if (doubtful.length === 0) return Effect.succeed(known.map((one) => one?.entry))
      return Effect.map(authorityOfMany(doubtful.map(({ address }) => address)), (outcomes) => {
        let next = 0
        return writes.map(({ entry }, index) => {
          if (known[index]?.sure !== false) return known[index]?.entry
          const outcome = outcomes[next++]!
          return outcome instanceof StoreError ? undefined : same(outcome.observation.entry, entry!)
        })
      })
    })

  const remember = ({ address, entry }: StampedWrite, outcome: WriteOutcome): Effect.Effect<void> =>
    outcome.error === undefined
      ? Effect.flatMap(Clock.currentTimeMillis, (readAt) => readPath.remember(address, { entry, readAt }))
      : outcome.error.reason === "Unavailable" || entry === undefined
        ? readPath.drop(address)
        : Effect.void

  /** One outcome per write, in the order given, and the entry that is there in its place. */
  const write = (
    writes: ReadonlyArray<StampedWrite>,
    options: { readonly urgent?: boolean } = {}
  ): Effect.Effect<ReadonlyArray<{ readonly outcome: WriteOutcome; readonly instead: Entry | undefined }>> =>
    Effect.gen(function* () {
      const there = yield* stored(writes)
      const left = writes.filter(
        ({ entry }, index) => there[index] === undefined && (entry === undefined || entry.value.byteLength <= largest)
      )
      unchanged += there.filter((entry) => entry !== undefined).length
      const outcomes = left.length === 0 ? [] : yield* batcher.write(left, entries.writeMany, options)
      yield* Effect.forEach(left, (one, index) => remember(one, outcomes[index]!), { discard: true })
      let next = 0
      return writes.map(({ entry }, index) => {
        const instead = there[index]
        if (instead !== undefined) return { outcome: { acknowledged: "stored" as const }, instead }
        const fits = entry === undefined || entry.value.byteLength <= largest
        const outcome = fits ? outcomes[next++]! : { error: new KvError({ operation: "put", reason: "TooLarge" }) }
        return { outcome, instead }
      })
    })

  return { write, unchanged: () => unchanged }
}
