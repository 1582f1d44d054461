import * as Effect from "effect/Effect"
import { getMany, type Kv, type KvEntry, type KvError } from "../../../services/kv/Kv.ts"
import { tagKey } from "../../../services/kv/model/PhysicalKey.ts"
import { isInvalidated, type Observation, type Stamp } from "../../../services/store/model/Entry.ts"

/**
 * Invalidation in a store without an index: one key per tag holds the stamp of its last invalidation, and an entry
 * older than the mark of one of its tags is an absence. One key per tag, because KV cannot merge: of two concurrent
 * invalidations either may win, and either is right.
 */
export const makeTagMarks = (kv: Kv["Type"]) => ({
  /** The stamps of those tags that were ever invalidated. Bills one read per tag. */
  read: (tags: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, Stamp>, KvError> => {
    const names = new Map(tags.map((tag) => [tagKey(tag), tag]))
    return Effect.map(getMany(kv, [...names.keys()]), (stored) => {
      const stamps = new Map<string, Stamp>()
      for (const [name, entry] of stored) {
        const stamp = parse(entry)
        if (stamp !== undefined) stamps.set(names.get(name)!, stamp)
      }
      return stamps
    })
  },
  /** Bills one write. */
  write: (tag: string, stamp: Stamp): Effect.Effect<void, KvError> =>
    kv.put(tagKey(tag), new TextEncoder().encode(JSON.stringify([stamp.wall, stamp.counter, stamp.writer])))
})

const parse = ({ value }: KvEntry): Stamp | undefined => {
  try {
    const [wall, counter, writer] = JSON.parse(new TextDecoder().decode(value)) as [number, number, string]
    return { wall, counter, writer }
  } catch {
    return undefined
  }
}

/** The observation after its tags were checked: an invalidated entry is an absence. */
export const checked = (observation: Observation, marks: ReadonlyMap<string, Stamp>): Observation =>
  observation.entry !== undefined && isInvalidated(observation.entry, marks)
    ? { entry: undefined, readAt: observation.readAt }
    : observation
