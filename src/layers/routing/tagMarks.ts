import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { getMany, type Kv, type KvEntry, type KvError } from "../../services/kv/Kv.ts"
import { markKey, tagKey } from "../../services/kv/model/PhysicalKey.ts"
import {
  compareStamps,
  type Entry,
  isInvalidated,
  type Observation,
  type Stamp
} from "../../services/store/model/Entry.ts"
import { hashedTag, hashOfTag, isHashedTag, mayHaveOlderMarks } from "../../services/store/model/Tags.ts"

/** What may have been ended by a mark: an entry, or the head of one. */
export type Tagged = Pick<Entry, "tags" | "stamp">

/**
 * Names of the marks that may end one of the entries, each with its tag: the hash of the tag, and for what an older
 * version wrote the tag itself, too.
 */
export const markNames = (entries: Iterable<Tagged>): ReadonlyMap<string, ReadonlySet<string>> => {
  const names = new Map<string, Set<string>>()
  for (const { stamp, tags } of entries) {
    for (const tag of tags) {
      const own = names.get(tag) ?? new Set([hashedTag(tag)])
      names.set(tag, own)
      if (mayHaveOlderMarks(stamp)) own.add(tag)
    }
  }
  return names
}

/** The latest mark of each tag. An older one that cannot be read counts until the tag is invalidated again. */
export const marksByTag = (
  names: ReturnType<typeof markNames>,
  stamps: ReadonlyMap<string, Stamp>
): ReadonlyMap<string, Stamp> => {
  const marks = new Map<string, Stamp>()
  for (const [tag, own] of names) {
    for (const name of own) {
      const [stamp, known] = [stamps.get(name), marks.get(tag)]
      const isReplaced = known !== undefined && known.wall > 0 && stamp !== undefined && isUnreadable(stamp)
      if (stamp === undefined || isReplaced) continue
      if (known === undefined || compareStamps(known, stamp) < 0) marks.set(tag, stamp)
    }
  }
  return marks
}

export const namesIn = (names: ReturnType<typeof markNames>): ReadonlyArray<string> => [
  ...new Set([...names.values()].flatMap((own) => [...own]))
]

const keyOf = (name: string): string => (isHashedTag(name) ? markKey(hashOfTag(name)) : tagKey(name))

/**
 * Invalidation in a store without an index: one key per tag holds the stamp of its last invalidation, and an entry
 * older than the mark of one of its tags is an absence. One key per tag, because KV cannot merge: of two concurrent
 * invalidations either may win, and either is right. The key is the tag's hash, so that it is found by who has no more
 * of the tag: two tags of one hash have one mark, which ends too much and never too little.
 */
export const makeTagMarks = (kv: Kv["Type"]) => {
  /**
   * The stamps of those names that have a mark. Bills one read per name. A mark that cannot be read counts
   * as an invalidation of this moment, too much rather than too little, until the tag is invalidated again.
   */
  const read = (names: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, Stamp>, KvError> => {
    const nameAt = new Map(names.map((name) => [keyOf(name), name]))
    return Effect.zipWith(getMany(kv, [...nameAt.keys()]), Clock.currentTimeMillis, (stored, now) => {
      const stamps = new Map<string, Stamp>()
      for (const [key, entry] of stored) {
        stamps.set(nameAt.get(key)!, stampIn(entry, now))
      }
      return stamps
    })
  }

  return {
    read,
    /** The latest mark of each tag that any of the entries has to be compared with. */
    readFor: (entries: Iterable<Tagged>): Effect.Effect<ReadonlyMap<string, Stamp>, KvError> => {
      const names = markNames(entries)
      return Effect.map(read(namesIn(names)), (stamps) => marksByTag(names, stamps))
    },
    /** Bills one write. */
    write: (tag: string, stamp: Stamp): Effect.Effect<void, KvError> =>
      kv.put(keyOf(hashedTag(tag)), new TextEncoder().encode(JSON.stringify([stamp.wall, stamp.counter, stamp.writer])))
  }
}

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
