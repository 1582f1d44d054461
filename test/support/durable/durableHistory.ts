import { makeAcknowledgements } from "./durableAcknowledgements.ts"
import { makeAnswers } from "./durableAnswers.ts"
import { makeArrivals } from "./durableArrivals.ts"
import { makeOwners } from "./durableOwners.ts"
import { makeRecord } from "./durableRecord.ts"
import { makeSnapshots } from "./durableSnapshots.ts"
import { makeTrace } from "./durableTrace.ts"
import { makeWatch } from "./durableWatch.ts"

export type DurableHistory = ReturnType<typeof makeHistory>

/**
 * The shards' life as it happened, against which every acknowledgement and every answer is held: what took effect when,
 * told by the writes that arrived and not by the rules that order them.
 *
 * @param plan `skews`: by how much each isolate's clock is ahead; `edge`: whether they share one
 * @param began the moment that its trace shows as 0
 */
export const makeHistory = (
  now: () => number,
  plan: { readonly skews: ReadonlyArray<number>; readonly shards: number; readonly edge: boolean },
  began: number
) => {
  const trace = makeTrace(now, began)
  const record = makeRecord(now, plan.skews)
  const owners = makeOwners(plan.shards, trace)
  const arrivals = makeArrivals(trace, record, owners)
  const unknowing = new Map<string, number>()
  const snapshots = makeSnapshots(trace, record, owners)
  return {
    ...trace,
    ...makeAcknowledgements(trace, record, owners),
    ...makeAnswers(
      trace,
      record,
      { ...owners, unknowingSince: (id) => unknowing.get(owners.holderOf(id)) ?? Number.POSITIVE_INFINITY },
      plan
    ),
    watch: makeWatch(trace, record, owners, arrivals, snapshots),
    resend: arrivals.resend,
    loaded: snapshots.loaded,
    holderOf: owners.holderOf,
    recovered: (shard: string): void => void unknowing.delete(shard),
    hasLapsed: record.hasLapsed,
    ids: (): ReadonlyArray<string> => [...record.states.keys()],
    /** The disk of a shard is gone: until it has recovered, it calls nothing absent. */
    lose: (shard: string): void => {
      unknowing.set(shard, now())
      trace.count("disks lost")
      trace.tell(`${shard} loses its disk`)
      for (const invalidation of record.invalidations) if (invalidation.shard === shard) invalidation.lost = true
      for (const id of record.states.keys()) {
        if (owners.holderOf(id) !== shard) continue
        record.lose(id, now())
        record.of(id).push({ at: now(), by: undefined, present: "no", version: undefined })
      }
    }
  }
}
