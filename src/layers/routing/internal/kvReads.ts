import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BatcherService } from "../../../services/batching/Batcher.ts"
import type { KvError } from "../../../services/kv/Kv.ts"
import { type Collection, define } from "../../../services/store/model/Collection.ts"
import {
  compareStamps,
  type Entry,
  type Observation,
  type Stamp,
  zeroStamp
} from "../../../services/store/model/Entry.ts"
import { allOf, type StoreError } from "../../../services/store/Store.ts"
import { type Address, type Answer, addressOf, type ReadPath } from "../../../services/tiers/ReadPath.ts"
import type { Found } from "../../packing/internal/pageRecords.ts"
import type { makeKvEntries } from "./kvEntries.ts"
import { checked, type makeTagMarks } from "./tagMarks.ts"

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
  entries: ReturnType<typeof makeKvEntries>,
  tagMarks: ReturnType<typeof makeTagMarks>,
  batcher: BatcherService,
  reading: <A>(effect: Effect.Effect<A, KvError>) => Effect.Effect<A, StoreError>
) => {
  const kvAnswer = (observation: Observation): Answer => ({ observation, tier: "kv", keep: true })
  const beside = new WeakMap<Observation, Found["siblings"]>()

  const readMany = (addresses: ReadonlyArray<Address>) =>
    Effect.map(entries.readMany(addresses), ({ observations, siblings }) => {
      if (siblings.length > 0) beside.set(observations[0]!, siblings)
      return observations
    })

  const marksOf = (tags: ReadonlyArray<string>): Effect.Effect<Marks, StoreError> =>
    tags.length === 0
      ? Effect.succeed(noMarks)
      : Effect.map(
          readPath
            .readMany(
              tags.map((tag) => addressOf(tagCollection, tag)),
              (missing) =>
                Effect.flatMap(Clock.currentTimeMillis, (readAt) =>
                  Effect.match(reading(tagMarks.read(missing.map(({ key }) => key))), {
                    onFailure: (error) => missing.map(() => error),
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
            stamps: new Map(tags.map((tag, index) => [tag, lookups[index]!.entry?.stamp ?? zeroStamp])),
            readAt: Math.min(...lookups.map(({ readAt }) => readAt))
          })
        )

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
      if (observation.entry?.tags.every((tag) => marks.stamps.has(tag))) {
        readPath.offer(address, afterTags(observation, marks), now)
      }
    }
  }

  const authorityOfMany = (addresses: ReadonlyArray<Address>): Effect.Effect<ReadonlyArray<Answer>, StoreError> =>
    Effect.gen(function* () {
      const read = yield* reading(batcher.read(addresses, readMany))
      const observations = read.map((observation, index) => withPending(addresses[index]!, observation))
      const tags = new Set(observations.flatMap(({ entry }) => entry?.tags ?? []))
      const marks = yield* marksOf([...tags])
      const now = yield* Clock.currentTimeMillis
      for (const observation of read) {
        const siblings = beside.get(observation)
        if (siblings !== undefined) offer(siblings, marks, now)
      }
      return observations.map((observation) => kvAnswer(afterTags(observation, marks)))
    })

  return {
    authorityOfMany,
    authority: (address: Address): Effect.Effect<Answer, StoreError> =>
      Effect.map(authorityOfMany([address]), ([answer]) => answer!)
  }
}
