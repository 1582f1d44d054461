import type { Collection } from "../../../services/store/model/Collection.ts"
import { compareStamps, type Observation, type Stamp } from "../../../services/store/model/Entry.ts"
import { hashedTag } from "../../../services/store/model/Tags.ts"
import type { Address, Lease } from "../../../services/tiers/ReadPath.ts"

/**
 * What this isolate knows to have ended: tags that were invalidated (as text and as hash), collections that were cleared, and loads that a
 * write has overtaken. Bounded: beyond `maxTags`, the oldest invalidation becomes a floor under every tagged entry.
 */
export const makeLocalInvalidations = (maxTags: number) => {
  const invalidated = new Map<string, Stamp>()
  const forgotten = new Map<string, number>()
  const leases = new Map<string, Set<{ overtaken: boolean; left: Observation | undefined }>>()
  let floor: Stamp | undefined

  const endedBy = (tags: ReadonlyArray<string>, since: Stamp): boolean => {
    if (tags.length === 0 || invalidated.size === 0) return false
    if (floor !== undefined && compareStamps(since, floor) < 0) return true
    for (const tag of tags) {
      const stamp = invalidated.get(tag)
      if (stamp !== undefined && compareStamps(since, stamp) < 0) return true
    }
    return false
  }

  const overtake = (id: string, left: Observation | undefined): void => {
    for (const lease of leases.get(id) ?? []) {
      lease.overtaken = true
      lease.left = left
    }
  }

  return {
    /** Whether an observation in a front tier is still what the store of record might say. */
    isCurrent: (collection: Collection, observation: Observation): boolean => {
      const cleared = forgotten.size === 0 ? undefined : forgotten.get(collection.name)
      if (cleared !== undefined && observation.readAt <= cleared) return false
      return observation.entry === undefined || !endedBy(observation.entry.tags, observation.entry.stamp)
    },
    invalidate: (tags: ReadonlyArray<string>, stamp: Stamp): void => {
      for (const tag of tags.flatMap((tag) => [tag, hashedTag(tag)])) {
        const known = invalidated.get(tag)
        if (known !== undefined && compareStamps(known, stamp) >= 0) continue
        invalidated.delete(tag)
        invalidated.set(tag, stamp)
      }
      while (invalidated.size > 2 * maxTags) {
        const [tag, oldest] = invalidated.entries().next().value!
        invalidated.delete(tag)
        if (floor === undefined || compareStamps(floor, oldest) < 0) floor = oldest
      }
    },
    forget: (collection: Collection, at: number): void => {
      forgotten.set(collection.name, at)
      for (const id of leases.keys()) {
        if (id.startsWith(`${collection.name}/`)) overtake(id, { entry: undefined, readAt: at })
      }
    },
    /** @param left what is under the key now; undefined when the write's outcome is unknown */
    overtake,
    lease: (address: Address, stamp: Stamp): Lease => {
      const mark = { overtaken: false, left: undefined as Observation | undefined }
      const held = leases.get(address.id) ?? new Set()
      leases.set(address.id, held.add(mark))
      return {
        overtaken: (tags) => mark.overtaken || endedBy(tags, stamp),
        leftBehind: () => mark.left,
        release: () => {
          held.delete(mark)
          if (held.size === 0 && leases.get(address.id) === held) leases.delete(address.id)
        }
      }
    }
  }
}
