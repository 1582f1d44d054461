import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { getMany, type Kv, type KvEntry, type KvError } from "../../../services/kv/Kv.ts"
import { tagKey } from "../../../services/kv/model/PhysicalKey.ts"
import { isInvalidated, type Observation, type Stamp } from "../../../services/store/model/Entry.ts"

/**
 * Invalidation in a store without an index: one key per tag holds the stamp of its last invalidation, and an entry
 * older than the mark of one of its tags is an absence. One key per tag, because KV cannot merge: of two concurrent
 * invalidations either may win, and either is right.
 */
export const makeTagMarks = (kv: Kv["Type"]) => ({
  /**
   * The stamps of those tags that were ever invalidated. Bills one read per tag. A mark that cannot be read counts
   * as an invalidation of this moment, too much rather than too little, until the tag is invalidated again.
   */
  read: (tags: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, Stamp>, KvError> => {
    const names = new Map(tags.map((tag) => [tagKey(tag), tag]))
    return Effect.zipWith(getMany(kv, [...names.keys()]), Clock.currentTimeMillis, (stored, now) => {
      const stamps = new Map<string, Stamp>()
      for (const [name, entry] of stored) {
        stamps.set(names.get(name)!, stampIn(entry, now))
      }
      return stamps
    })
  },
  /** Bills one write. */
  write: (tag: string, stamp: Stamp): Effect.Effect<void, KvError> =>
    kv.put(tagKey(tag), new TextEncoder().encode(JSON.stringify([stamp.wall, stamp.counter, stamp.writer])))
})

/** Later than all that was written until the moment at which it is read. */
const unreadableAt = (now: number): Stamp => ({ wall: now, counter: Number.MAX_SAFE_INTEGER, writer: "" })

export const isUnreadable = ({ counter }: Stamp): boolean => counter === Number.MAX_SAFE_INTEGER

const decode = Schema.decodeOption(Schema.parseJson(Schema.Tuple(Schema.Number, Schema.Number, Schema.String)))

const stampIn = ({ value }: KvEntry, now: number): Stamp =>
  Option.match(decode(new TextDecoder().decode(value)), {
    onNone: () => unreadableAt(now),
    onSome: ([wall, counter, writer]) => ({ wall, counter, writer })
  })

/** The observation after its tags were checked: an invalidated entry is an absence. */
export const checked = (observation: Observation, marks: ReadonlyMap<string, Stamp>): Observation =>
  observation.entry !== undefined && isInvalidated(observation.entry, marks)
    ? { entry: undefined, readAt: observation.readAt }
    : observation
