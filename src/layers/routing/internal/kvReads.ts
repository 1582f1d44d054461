import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { BatcherService, ReadOutcome } from "../../../services/batching/Batcher.ts"
import { KvError } from "../../../services/kv/Kv.ts"
import { type Collection, define } from "../../../services/store/model/Collection.ts"
import {
  compareStamps,
  type Entry,
  isInvalidated,
  type Observation,
  type Stamp,
  zeroStamp
} from "../../../services/store/model/Entry.ts"
import { mayHaveOlderMarks } from "../../../services/store/model/Tags.ts"
import { allOf, type Listed, StoreError } from "../../../services/store/Store.ts"
import { type Address, type Answer, addressOf, type Outcome, type ReadPath } from "../../../services/tiers/ReadPath.ts"
import { type ListedHead, toStoreError } from "../../packing/kvRecords.ts"
import type { Found } from "../../packing/pageRecords.ts"
import type { KvEntries } from "../kvEntries.ts"
import { checked, type makeTagMarks, markNames, marksByTag, namesIn, type Tagged } from "../tagMarks.ts"

/** Tag marks travel the read path like entries, under a name no user's collection can have. */
export const tagCollection: Collection = {
  ...define("tags", { negativeTtl: Duration.minutes(1), jitter: 0 }),
  name: "~tags"
}

export const markOf = (stamp: Stamp): Entry => ({
  value: new Uint8Array(0),
  contentType: "",
  tags: [],
  stamp,
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0
})

interface Marks {
  readonly stamps: ReadonlyMap<string, Stamp>
  /** Milliseconds since the epoch of the oldest of them. */
  readonly readAt: number
}

const noMarks: Marks = { stamps: new Map(), readAt: Number.POSITIVE_INFINITY }

/** What KV says of entries: with what this isolate has buffered of them, and without what a tag has ended. */
export const makeKvReads = (
  readPath: ReadPath["Type"],
  entries: KvEntries,
  tagMarks: ReturnType<typeof makeTagMarks>,
  batcher: BatcherService
) => {
  const kvAnswer = (observation: Observation): Answer => ({ observation, tier: "kv", keep: true })
  const beside = new WeakMap<ReadOutcome, Found["siblings"]>()

  const readMany = (addresses: ReadonlyArray<Address>, maxBytes?: number, age: 0 | "near" = 0) =>
    Effect.map(entries.readEach(addresses, maxBytes, age), ({ outcomes, siblings }) => {
      if (siblings.length > 0) beside.set(outcomes[0]!, siblings)
      return outcomes
    })

  const marksOf = (entries: Iterable<Tagged>): Effect.Effect<Marks, StoreError> => {
    const ofTags = markNames(entries)
    const names = namesIn(ofTags)
    return names.length === 0
      ? Effect.succeed(noMarks)
      : Effect.map(
          readPath
            .readMany(
              names.map((name) => addressOf(tagCollection, name)),
              (missing) =>
                Effect.flatMap(Clock.currentTimeMillis, (readAt) =>
                  Effect.match(tagMarks.read(missing.map(({ key }) => key)), {
                    onFailure: (error) => missing.map(() => toStoreError("get")(error)),
                    onSuccess: (stamps) =>
                      missing.map(({ key }) => {
                        const stamp = stamps.get(key)
                        return kvAnswer({ entry: stamp && markOf(stamp), readAt })
                      })
                  })
                )
            )
            .pipe(Effect.flatMap(allOf)),
          (lookups) => ({
            stamps: marksByTag(
              ofTags,
              new Map(names.map((name, index) => [name, lookups[index]!.entry?.stamp ?? zeroStamp]))
            ),
            readAt: Math.min(...lookups.map(({ readAt }) => readAt))
          })
        )
  }

  const afterTags = (observation: Observation, { readAt, stamps }: Marks): Observation =>
    observation.entry === undefined || observation.entry.tags.length === 0
      ? observation
      : { ...checked(observation, stamps), readAt: Math.min(observation.readAt, readAt) }

  const withPending = (address: Address, observation: Observation): Observation => {
    const pending = batcher.pending(address)
    return pending !== undefined &&
      (observation.entry === undefined || compareStamps(pending.stamp, observation.entry.stamp) > 0)
      ? { entry: pending.entry, readAt: observation.readAt }
      : observation
  }

  /** Only those whose tags have just been read are known to be living. */
  const offer = (siblings: Found["siblings"], marks: Marks, now: number): void => {
    for (const { address, observation } of siblings) {
      if (batcher.pending(address) !== undefined) continue
      const { entry } = observation
      if (entry === undefined || (entry.tags.length > 0 && mayHaveOlderMarks(entry.stamp))) continue
      if (entry.tags.every((tag) => marks.stamps.has(tag))) {
        readPath.offer(address, afterTags(observation, marks), now)
      }
    }
  }

  /** One outcome per address. Entries whose tags could not be read are not known to be living: they fail, others do not. */
  const outcomesOf = (
    addresses: ReadonlyArray<Address>,
    reading: Effect.Effect<ReadonlyArray<ReadOutcome>>
  ): Effect.Effect<ReadonlyArray<Outcome>> =>
    Effect.gen(function* () {
      const read = yield* reading
      const outcomes = read.map((outcome, index) =>
        outcome instanceof KvError ? toStoreError("get")(outcome) : withPending(addresses[index]!, outcome)
      )
      const found = outcomes.flatMap((outcome) => ("entry" in outcome && outcome.entry ? [outcome.entry] : []))
      const marks = yield* Effect.either(marksOf(found))
      const now = yield* Clock.currentTimeMillis
      for (const outcome of read) {
        const siblings = beside.get(outcome)
        if (siblings !== undefined)
          offer(
            siblings,
            Either.getOrElse(marks, () => noMarks),
            now
          )
      }
      return outcomes.map((outcome): Outcome => {
        if (outcome instanceof StoreError) return outcome
        if (Either.isRight(marks)) return kvAnswer(afterTags(outcome, marks.right))
        return outcome.entry === undefined || outcome.entry.tags.length === 0 ? kvAnswer(outcome) : marks.left
      })
    })

  /** What of a listing a read would answer: without what an invalidation has ended. */
  const stillListed = (
    collection: Collection,
    heads: ReadonlyArray<ListedHead>
  ): Effect.Effect<ReadonlyArray<Listed>, StoreError> =>
    Effect.gen(function* () {
      const silent = heads.filter(({ stamp }) => stamp === undefined)
      const read = yield* entries.readEach(silent.map(({ key }) => addressOf(collection, key)))
      const told = new Map<string, Entry>()
      for (const [index, { key }] of silent.entries()) {
        const outcome = read.outcomes[index]!
        if (outcome instanceof KvError) return yield* toStoreError("list")(outcome)
        if (outcome.entry !== undefined) told.set(key, outcome.entry)
      }
      const known = heads.flatMap(({ stamp, tags, ...rest }) => {
        const head = stamp === undefined ? told.get(rest.key) : { stamp, tags }
        return head === undefined ? [] : [{ ...rest, tags: head.tags, stamp: head.stamp }]
      })
      const { stamps } = yield* marksOf(known)
      return known
        .filter((head) => !isInvalidated(head, stamps))
        .map(({ expiresAt, key, tags }) => ({ key, expiresAt, tags }))
    })

  const fromNear = (addresses: ReadonlyArray<Address>) => readMany(addresses, undefined, "near")

  /** Others that read in the same tick do not share a bound that they did not ask for. */
  const authorityOfMany = (addresses: ReadonlyArray<Address>, maxBytes?: number) =>
    outcomesOf(
      addresses,
      maxBytes === undefined ? batcher.read(addresses, fromNear) : readMany(addresses, maxBytes, "near")
    )

  return {
    stillListed,
    authorityOfMany,
    /** As KV itself has them now; in no batch with what a copy may answer. */
    storedOfMany: (addresses: ReadonlyArray<Address>) => outcomesOf(addresses, readMany(addresses)),
    authority: (address: Address): Effect.Effect<Answer, StoreError> =>
      Effect.flatMap(authorityOfMany([address]), ([outcome]) =>
        outcome instanceof StoreError ? Effect.fail(outcome) : Effect.succeed(outcome!)
      )
  }
}
