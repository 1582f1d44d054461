import type { Lookup } from "../../../src/services/store/Store.ts"
import type { Change, DurableRecord } from "./durableRecord.ts"
import type { DurableTrace } from "./durableTrace.ts"

interface Reading {
  readonly id: string
  readonly isolate: number
  readonly invokedAt: number
  readonly answeredAt: number
  /** The number in the value read; undefined for an absence. */
  readonly found: number | undefined
  readonly lookup: Lookup
  readonly loadable: boolean
  /** How long tiers in front may answer: ttl, and what the policy adds to it. */
  readonly longest: number
  readonly beyond: number
}

/**
 * What the clients read: may that have been the answer?
 *
 * @param skews by how much each isolate's clock is ahead
 * @param sharedEdge whether isolates read what others have left at the edge
 */
export const makeAnswers = (
  { broken, count, since, tell }: DurableTrace,
  record: DurableRecord,
  skews: ReadonlyArray<number>,
  sharedEdge: boolean
): ((reading: Reading) => void) => {
  const { changes, spread } = record

  const mayBeAlive = ({ beyond, id, invokedAt, isolate, loadable }: Reading, change: Change | undefined): void => {
    if (change === undefined) return
    const grace = (loadable ? beyond : 0) + spread
    if (change.expiresAt + grace <= invokedAt + skews[isolate]!)
      broken(`${id} was read after #${change.number} had expired`)
  }

  const mayBeThatOld = ({ beyond, id, invokedAt, isolate, longest, lookup }: Reading): void => {
    if (lookup.tier === "durable") return
    const age = invokedAt + skews[isolate]! - lookup.readAt - (sharedEdge ? spread + 100 : 0)
    const limit = longest + (lookup.freshness === "fresh" ? 0 : beyond)
    if (age > limit) broken(`${id} was answered by ${lookup.tier}, ${lookup.freshness}, ${age} ms after it was read`)
  }

  /** A fill whose shard did not say that it was overtaken stays where it was loaded, unless that isolate knows better. */
  const isKeptAside = (fill: Change, { id, invokedAt, isolate }: Reading, readAt: number): boolean => {
    if (fill.ended === undefined || readAt > fill.ended.at + 1) return false
    if (!sharedEdge && isolate === fill.isolate && record.ownSince(id, isolate, invokedAt) > fill.invokedAt) {
      broken(`the fill #${fill.number} of ${id} outlived a change that its own isolate had acknowledged`)
    }
    return true
  }

  /** A delete that had to stay outside, or a load that brought nothing and had no shard to ask. */
  const isAbsentAside = (id: string, isolate: number, readAt: number): boolean =>
    changes.some(
      ({ alone, ended, ids, isolate: by, kind }) =>
        (kind === "delete" || (alone && kind === "fill")) &&
        (sharedEdge || by === isolate) &&
        ended?.as === "outside" &&
        ids.includes(id) &&
        readAt <= ended.at
    )

  return (reading) => {
    const { answeredAt, found, id, invokedAt, isolate, loadable, longest, lookup } = reading
    count(`${found === undefined ? "absent" : "found"} in ${lookup.tier} ${lookup.freshness}`)
    const answer = found === undefined ? "nothing" : `#${found}`
    const truly = lookup.readAt - skews[isolate]!
    const told = `isolate ${isolate} reads ${id}: ${answer} from ${lookup.tier}, ${lookup.freshness}, of ${since(truly)}`
    tell(`${told}, asked at ${since(invokedAt)}`)
    const change = found === undefined ? undefined : changes[found]
    if (change !== undefined && !change.ids.includes(id)) broken(`${id} was never given #${found}`)
    mayBeAlive(reading, change)
    if (lookup.tier === "kv" || lookup.tier === "loader") return
    mayBeThatOld(reading)
    const taken = truly - (sharedEdge ? spread : 0)
    const isAfresh = longest === 0 && !loadable && lookup.tier === "durable"
    const readAt = isAfresh ? Math.max(taken, invokedAt) : taken
    if (change?.kind === "fill" && isKeptAside(change, reading, readAt)) return
    if (change?.ended?.as === "outside" && readAt <= change.ended.at) return
    // What its own isolate keeps outside is later than what edge shows.
    const isUnderWay = change?.ended?.as === "outside" && change.deliveredAt === undefined
    if (isUnderWay && lookup.tier === "edge" && change.isolate === isolate) return
    if (found === undefined && isAbsentAside(id, isolate, readAt)) return
    const own =
      lookup.tier === "memory" && !sharedEdge ? record.ownSince(id, isolate, invokedAt) : Number.NEGATIVE_INFINITY
    if (!record.stood(id, found, readAt, answeredAt, own)) {
      broken(
        `${told}: that did not stand in its shard between ${since(Math.max(readAt, own))} and ${since(answeredAt)}`
      )
    }
  }
}
