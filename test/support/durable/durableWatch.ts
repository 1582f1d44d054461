import type { Shard } from "../../../src/services/durable/Shard.ts"
import { imageIn } from "../snapshots/wholeImages.ts"
import type { DurableArrivals } from "./durableArrivals.ts"
import type { DurableOwners } from "./durableOwners.ts"
import type { DurableRecord } from "./durableRecord.ts"
import type { DurableSnapshots } from "./durableSnapshots.ts"
import type { DurableTrace } from "./durableTrace.ts"

export type Watch = (object: string, shard: Shard["Type"]) => Shard["Type"]

/** A shard with everything put down that takes effect in it. */
export const makeWatch =
  (
    { count, tell, unfailing }: DurableTrace,
    record: DurableRecord,
    owners: DurableOwners,
    arrivals: DurableArrivals,
    snapshots: DurableSnapshots
  ): Watch =>
  (name, shard) => {
    owners.add(name, shard)
    return unfailing({
      ...shard,
      setSeal: (seal) => {
        owners.movesTo(seal.to)
        tell(`${name} is ${seal.phase} up to "${seal.through}"${seal.done ? ", done" : ""}`)
        count(`seals ${seal.phase}`)
        shard.setSeal(seal)
      },
      apply: (writes, now, floor) => {
        const results = shard.apply(writes, now, floor)
        for (const [index, write] of writes.entries()) {
          const { outcome, version } = results[index]!
          arrivals.arrived(write, outcome, version, now)
        }
        return results
      },
      lease: (id, until, now) => {
        const lease = shard.lease(id, until, now)
        if (lease !== undefined) arrivals.granted(id, lease, now)
        return lease
      },
      invalidateTags: (tags, stamp, now, floor) => {
        const mark = shard.invalidateTags(tags, stamp, now, floor)
        const by = record.invalidation(stamp, tags)
        // The objects that keys move to are told the old ones' mark in its place.
        record.marked(by, mark, tags)
        by.committedAt = now
        tell(`${name} invalidates ${tags.join()} for #${by.number}`)
        for (const [id, states] of record.states) {
          const last = states.at(-1)!
          if (!owners.covers(name, id) || last.present === "no" || last.by === undefined) continue
          const holder = owners.holderOf(id)
          if (holder !== name && shard.seal() !== undefined) continue
          // Rows that are on their way are ended where they arrive, by the same call.
          const present = shard.seal() === undefined ? "no" : "either"
          if (last.by.tags.some((tag) => tags.includes(tag))) record.of(id).push({ ...last, at: now, present })
        }
        record.invalidations.push({ at: now, by, shard: name, tags })
        return mark
      },
      clear: (prefix, stamp, limit, now) => {
        const deleted = shard.clear(prefix, stamp, limit, now)
        const by = record.changeOf(stamp)!
        by.committedAt = now
        for (const [id, states] of record.states) {
          const last = states.at(-1)!
          if (owners.holderOf(id) !== name || !id.startsWith(prefix) || last.present === "no") continue
          if (now >= last.by!.expiresAt) continue
          // What an invalidation may have ended already is not there to be deleted, and may lie there dead.
          const left = last.present === "either" ? last.by : by
          record.of(id).push({ at: now, by: left, present: "no", version: last.version })
        }
        return deleted
      },
      capture: () => {
        snapshots.captured(name, imageIn(shard))
        return shard.capture()
      },
      clean: (mark) => {
        shard.clean(mark)
        snapshots.saved(name)
      },
      merge: (image, now) => {
        snapshots.restored(name, image, now)
        return shard.merge(image, now)
      }
    })
  }
