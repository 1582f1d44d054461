import { isFirst, type ShardWrite } from "../../../src/services/durable/Shard.ts"
import { compareStamps, type Stamp } from "../../../src/services/store/model/Entry.ts"
import type { DurableOwners } from "./durableOwners.ts"
import type { Change, DurableRecord, State } from "./durableRecord.ts"
import type { DurableTrace } from "./durableTrace.ts"

export interface DurableArrivals {
  /** A lease was given for an id. */
  readonly granted: (id: string, lease: number, now: number) => void
  /** A write came to its shard: may it have had the effect that it had? */
  readonly arrived: (write: ShardWrite, outcome: string, version: Stamp, now: number) => void
  /** Every write that ever arrived arrives once more, as nobody's first try. */
  readonly resend: (apply: (shard: string, writes: ReadonlyArray<ShardWrite>, now: number) => unknown) => void
}

/** Writes as they come to the shards, and the rules of what they may replace there. */
export const makeArrivals = (trace: DurableTrace, record: DurableRecord, owners: DurableOwners): DurableArrivals => {
  const { broken, count, tell, versionText } = trace
  const { hasLapsed, invalidations, of, spread } = record
  const grants = new Map<string, { readonly at: number; readonly states: number }>()
  const arrivals: Array<ShardWrite> = []

  const mayTakeEffect = (change: Change, before: State, first: boolean): void => {
    const { committedAt, ended, ids, invokedAt, number } = change
    const lostAt = record.lostAt(ids[0]!)
    if (committedAt !== undefined && committedAt > lostAt) broken(`#${number} took effect twice`)
    if (ended?.as === "stored" && ended.at > lostAt)
      broken(`#${number} took effect after it was acknowledged as stored`)
    if (first || before.by === undefined) return
    if (invokedAt + spread < before.by.invokedAt) {
      broken(`#${number} from outside replaced #${before.by.number}, which is later by more than the clocks differ`)
    }
  }

  const mayFill = (change: Change, { id, lease }: ShardWrite): void => {
    const grant = grants.get(`${id}:${lease}`)
    const since = of(id).slice(grant?.states ?? 0)
    if (since.length > 0) broken(`the fill #${change.number} took effect over #${since.at(-1)!.by?.number}`)
    for (const { at, shard, tags } of invalidations) {
      if (!owners.covers(shard, id) || grant === undefined || at <= grant.at) continue
      if (concerns(tags, change, id)) broken(`the fill #${change.number} outlived an invalidation`)
    }
  }

  const presence = (change: Change, { body, id }: ShardWrite, first: boolean): State["present"] => {
    if (body === undefined) return "no"
    if (first) return "yes"
    const holder = owners.holderOf(id)
    let presence: State["present"] = "yes"
    for (const { at, by, lost, shard, tags } of invalidations) {
      if (!owners.covers(shard, id) || !concerns(tags, change, id)) continue
      // Marks that not all of them had were not carried over to the objects there are now.
      const counts = lost === undefined && (shard === holder || by.ended?.as === "stored")
      if (counts && change.invokedAt + spread < by.invokedAt) return "no"
      // A mark is as late as it was set, however long ago the invalidation was asked for.
      if (change.invokedAt - spread <= at) presence = "either"
    }
    return presence
  }

  return {
    granted: (id, lease, now) => void grants.set(`${id}:${lease}`, { at: now, states: of(id).length }),
    arrived: (write, outcome, version, now) => {
      const { body, id, lease } = write
      const change = record.changeBy(write)
      if (change === undefined) return
      const first = lease !== undefined || isFirst(write, now)
      change.deliveredAt = now
      if (lease === undefined) arrivals.push(write)
      count(`arrived ${outcome}`)
      const manner = first ? "first" : "again or from outside"
      tell(`#${change.number} arrives ${manner}: ${outcome} as ${versionText(version)}`)
      if (outcome === "unwanted") change.unstored = true
      if (outcome !== "applied" && outcome !== "ended") return
      const states = of(id)
      const before = states.at(-1)!
      const isOver = body !== undefined && body.expiresAt <= now
      if (!isOver && !hasLapsed(id)) mayTakeEffect(change, before, first)
      if (lease !== undefined) {
        count("fills applied")
        mayFill(change, write)
      }
      if (!hasLapsed(id) && before.version !== undefined && compareStamps(version, before.version) <= 0) {
        broken(`the version under ${id} went down from ${versionText(before.version)} to ${versionText(version)}`)
      }
      change.committedAt = now
      change.expiresAt = body?.expiresAt ?? change.expiresAt
      const unordered = !first && hasLapsed(id)
      const present = presence(change, write, first)
      if (outcome === "ended" && present === "yes") broken(`#${change.number} was ended by no invalidation`)
      states.push({ at: now, by: change, present: outcome === "ended" ? "no" : present, version, unordered })
    },
    resend: (apply) => {
      for (const { body, id, stamp } of [...arrivals]) {
        const isOver = body !== undefined && body.expiresAt <= trace.now()
        const wasLost = record.lostAt(id) > Number.NEGATIVE_INFINITY
        if (!isOver && !wasLost && !hasLapsed(id)) apply(owners.holderOf(id), [{ body, id, stamp }], trace.now())
      }
    }
  }
}

/** Whether an invalidation of these tags, or a clear of this collection, concerns what a change wrote under an id. */
const concerns = (tags: ReadonlyArray<string>, change: Change, id: string): boolean =>
  tags.some((tag) => change.tags.includes(tag) || (tag.endsWith("/") && id.startsWith(tag)))
