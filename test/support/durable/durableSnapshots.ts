import type { ShardImage, ShardRow } from "../../../src/services/durable/Shard.ts"
import { compareStamps, isInvalidated, zeroStamp } from "../../../src/services/store/model/Entry.ts"
import type { DurableOwners } from "./durableOwners.ts"
import { type DurableRecord, keyOf, numberIn } from "./durableRecord.ts"
import type { DurableTrace } from "./durableTrace.ts"

export interface DurableSnapshots {
  /** A shard gives all it has to be saved: is that what stands there? */
  readonly captured: (shard: string, image: ShardImage) => void
  /** What it gave last is safe. */
  readonly saved: (shard: string) => void
  /** A shard has read a snapshot: is there no newer one that was safe? */
  readonly loaded: (shard: string, image: ShardImage) => void
  /** It takes a part of one in. */
  readonly restored: (image: ShardImage, now: number) => void
}

/** What the shards save, and what they come back from. */
export const makeSnapshots = (trace: DurableTrace, record: DurableRecord, owners: DurableOwners): DurableSnapshots => {
  const captures = new Map<string, Array<{ readonly image: ShardImage; readonly at: number; safe: boolean }>>()

  const mayBeAll = (shard: string, image: ShardImage): void => {
    const rows = new Map(image.rows.map(({ body, id }) => [id, body && numberIn(body.value)]))
    for (const [id, states] of record.states) {
      const { by, present } = states.at(-1)!
      if (owners.holderOf(id) !== shard || by === undefined) continue
      const expected = by.kind === "set" || by.kind === "fill" ? by.number : undefined
      const missing = present === "yes" && trace.now() < by.expiresAt && rows.get(id) === undefined
      if (missing || (rows.get(id) !== undefined && rows.get(id) !== expected)) {
        trace.broken(`a snapshot holds #${rows.get(id)} under ${id}, not #${expected}`)
      }
    }
  }

  return {
    captured: (shard, image) => {
      mayBeAll(shard, image)
      const images = captures.get(shard) ?? []
      images.push({ image, at: trace.now(), safe: false })
      captures.set(shard, images)
    },
    saved: (shard) => {
      const last = captures.get(shard)?.at(-1)
      if (last !== undefined) last.safe = true
      trace.count("snapshots")
      trace.tell(`${shard} has a snapshot`)
    },
    loaded: (shard, image) => {
      const images = captures.get(shard) ?? []
      const newest = images.findLastIndex(({ safe }) => safe)
      if (!images.slice(Math.max(0, newest)).some((one) => holds(image, one.image, one.at))) {
        trace.broken(`${shard} was restored from something older than its newest good snapshot`)
      }
    },
    restored: (image, now) => {
      for (const { body, id, version } of image.rows) {
        const by = body === undefined ? undefined : record.changes[numberIn(body.value)]
        const states = record.of(id)
        const known = states.at(-1)!.version
        // An earlier try to restore it has adopted what was parked: that stays where it is the later.
        if (known !== undefined && compareStamps(version, known) <= 0) continue
        states.push({ at: now, by, present: body === undefined ? "no" : "either", version })
      }
    }
  }
}

/** Of each id the latest: what a base has may have changed since. */
const latestOf = ({ rows }: ShardImage): ReadonlyMap<string, ShardRow> => {
  const latest = new Map<string, ShardRow>()
  for (const row of rows) {
    const known = latest.get(row.id)
    if (known === undefined || compareStamps(known.version, row.version) < 0) latest.set(row.id, row)
  }
  return latest
}

/** What is alive in it at that moment. */
const livingIn = (image: ShardImage, now: number): string =>
  [...latestOf(image).values()]
    .filter(({ body, id, version }) => {
      if (body === undefined || body.expiresAt <= now) return false
      return !isInvalidated({ tags: body.tags, stamp: version }, image.tags, id)
    })
    .map(({ body, id, version }) => `${id}=${numberIn(body!.value)}@${keyOf(version)}`)
    .sort()
    .join("\n")

/** Whether what was loaded is what was captured then: the same is alive, and what was over stays over. */
const holds = (loaded: ShardImage, captured: ShardImage, then: number): boolean => {
  const rows = latestOf(loaded)
  return (
    livingIn(loaded, then) === livingIn(captured, then) &&
    captured.rows.every(({ id, version }) => compareStamps(rows.get(id)?.version ?? zeroStamp, version) >= 0) &&
    [...captured.tags].every(([tag, mark]) => compareStamps(loaded.tags.get(tag) ?? zeroStamp, mark) >= 0)
  )
}
