import type { Stamp } from "../../../src/services/store/model/Entry.ts"
import type { DurableOwners } from "./durableOwners.ts"
import type { Change, DurableRecord } from "./durableRecord.ts"
import type { DurableTrace } from "./durableTrace.ts"

export interface DurableAcknowledgements {
  readonly invoke: (
    kind: Change["kind"],
    isolate: number,
    ids: ReadonlyArray<string>,
    tags: ReadonlyArray<string>
  ) => Change
  readonly stamped: (change: Change, stamp: Stamp) => void
  /** A client is told what became of its change: is it so? */
  readonly end: (change: Change, as: NonNullable<Change["ended"]>["as"]) => void
  /** All is over, and everything parked was adopted: what was acknowledged is there, or something later is. */
  readonly settled: () => void
}

/** What the clients ask to be changed, and what they are told of it. */
export const makeAcknowledgements = (
  { broken, count, now, tell }: DurableTrace,
  record: DurableRecord,
  owners: DurableOwners
): DurableAcknowledgements => {
  const { changes, invalidations, states, supersededSince } = record

  const isInvalidated = (change: Change): boolean => {
    const done = new Set(invalidations.flatMap(({ by, shard }) => (by === change ? [shard] : [])))
    return (
      done.size >= owners.fewest() &&
      [...states.keys()].every((id) => [...done].some((object) => owners.covers(object, id)))
    )
  }

  /** An id that has what it had before all there was to be cleared. */
  const outlived = ({ ids, invokedAt }: Change): string | undefined => {
    for (const [id, all] of states) {
      const { at, by, present } = all.at(-1)!
      if (id.startsWith(ids[0]!) && at < invokedAt && present === "yes" && now() < by!.expiresAt) return id
    }
    return undefined
  }

  return {
    invoke: (kind, isolate, ids, tags) => {
      const change: Change = {
        number: changes.length,
        kind,
        isolate,
        ids,
        tags,
        invokedAt: now(),
        expiresAt: Number.POSITIVE_INFINITY,
        ended: undefined,
        committedAt: undefined,
        deliveredAt: undefined
      }
      changes.push(change)
      tell(`isolate ${isolate} begins ${kind} #${change.number} ${ids.join()} ${tags.join()}`)
      return change
    },
    stamped: record.stamped,
    end: (change, as) => {
      const { committedAt, deliveredAt, ids, invokedAt, kind, number } = change
      count(`${kind} ${as}`)
      tell(`#${number} ended: ${as}`)
      change.ended = { at: now(), as }
      if (as === "outside" && kind !== "fill" && !owners.wasTroubled(change.isolate, ids[0]!, invokedAt)) {
        broken(`#${number} was kept outside of a shard that was well`)
      }
      if (as !== "stored") return
      if (kind === "clear") {
        const left = outlived(change)
        if (left !== undefined) broken(`#${number} was acknowledged, and ${left} has outlived it`)
        return
      }
      if (kind === "invalidate") {
        if (!isInvalidated(change)) broken(`#${number} was acknowledged, and not every shard has invalidated`)
        return
      }
      if (deliveredAt === undefined) broken(`#${number} was acknowledged as stored, and never reached its shard`)
      if (committedAt === undefined && !supersededSince(ids[0]!, invokedAt)) {
        broken(`#${number} was acknowledged as stored, and neither took effect nor met a later write`)
      }
    },
    settled: () => {
      for (const { committedAt, deliveredAt, ended, ids, invokedAt, kind, number } of changes) {
        if (ended?.as !== "outside" || (kind !== "set" && kind !== "delete")) continue
        if (deliveredAt === undefined || deliveredAt < record.lostAt(ids[0]!))
          broken(`#${number} was kept outside and never adopted`)
        if (committedAt === undefined && !supersededSince(ids[0]!, invokedAt))
          broken(`#${number} was adopted without effect`)
      }
    }
  }
}
