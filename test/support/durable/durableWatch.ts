import type { ImageSource, Shard } from "../../../src/services/durable/Shard.ts"
import type { DurableArrivals } from "./durableArrivals.ts"
import type { DurableOwners } from "./durableOwners.ts"
import type { DurableRecord } from "./durableRecord.ts"
import type { DurableSnapshots } from "./durableSnapshots.ts"
import type { DurableTrace } from "./durableTrace.ts"

export type Watch = (object: string, shard: Shard["Type"]) => Shard["Type"]

/** What is saved of it, as it is when it is captured: all that counts, as few as the rows are. */
const captured = (
  { source }: Shard["Type"],
  name: string,
  snapshots: DurableSnapshots,
  { count, now }: Pick<DurableTrace, "count" | "now">
): Pick<ImageSource, "whole" | "changes" | "commit"> => ({
  whole: (bytes, now) => {
    const image = source.whole(bytes, now)
    if (image !== undefined) snapshots.captured(name, image)
    return image
  },
  // With the base that it goes over, it is all that there is at this moment.
  changes: (bytes, after) => {
    const image = source.changes(bytes, after)
    if (image !== undefined) snapshots.captured(name, source.whole(Number.POSITIVE_INFINITY, now())!)
    return image
  },
  commit: (mark, saved, base) => {
    source.commit(mark, saved, base)
    snapshots.saved(name)
    if (base === undefined) count("snapshots of changes alone")
    else if (base !== "none") count(base.isWhole ? "snapshots with a new base" : "snapshots with a run over the base")
  }
})

/** A shard with everything put down that takes effect in it. */
export const makeWatch =
  (
    { count, now, tell, unfailing }: DurableTrace,
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
      clear: (prefix, stamp, now, floor) => {
        const mark = shard.clear(prefix, stamp, now, floor)
        const by = record.invalidation(stamp, [prefix])
        record.marked(by, mark, [prefix])
        by.committedAt = now
        tell(`${name} clears ${prefix} for #${by.number}`)
        for (const [id, states] of record.states) {
          const last = states.at(-1)!
          if (!owners.covers(name, id) || !id.startsWith(prefix) || last.present === "no" || last.by === undefined) {
            continue
          }
          if (owners.holderOf(id) !== name && shard.seal() !== undefined) continue
          record.of(id).push({ ...last, at: now, present: shard.seal() === undefined ? "no" : "either" })
        }
        record.invalidations.push({ at: now, by, shard: name, tags: [prefix] })
        return mark
      },
      source: {
        ...shard.source,
        ...captured(shard, name, snapshots, { count, now })
      },
      merge: (image, now) => {
        snapshots.restored(image, now)
        return shard.merge(image, now)
      }
    })
  }
