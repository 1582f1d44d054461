import type { Lookup } from "../../../src/services/store/Store.ts"
import type { DurableOwners } from "./durableOwners.ts"
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

export interface DurableAnswers {
  /** What a client reads: may that be the answer? */
  readonly read: (reading: Reading) => void
  /** A client is told that nobody can tell: had its isolate reason to say so? */
  readonly unread: (asked: Pick<Reading, "id" | "isolate" | "invokedAt">) => void
}

/**
 * @param plan `skews`: by how much each isolate's clock is ahead; `edge`: whether isolates read what others have left at
 *   the edge
 */
export const makeAnswers = (
  { broken, count, since, tell }: DurableTrace,
  record: DurableRecord,
  owners: DurableOwners & { readonly unknowingSince: (id: string) => number },
  { edge: sharedEdge, skews }: { readonly skews: ReadonlyArray<number>; readonly edge: boolean }
): DurableAnswers => {
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

  /** A delete that had to stay outside. */
  const isAbsentAside = (id: string, isolate: number, readAt: number): boolean =>
    changes.some(
      ({ ended, ids, isolate: by, kind }) =>
        kind === "delete" &&
        (sharedEdge || by === isolate) &&
        ended?.as === "outside" &&
        ids.includes(id) &&
        readAt <= ended.at
    )

  /** Told in place of a shard: what is held somewhere, and no absence but that of a delete of the isolate's own. */
  const mayBeInPlace = ({ found, id, invokedAt, isolate, loadable, lookup }: Reading): void => {
    if (!owners.wasTroubled(isolate, id, invokedAt)) broken(`${id} was not read from its shard, which was well`)
    if (loadable) return
    if (lookup.freshness !== "stale") broken(`${id} was read from a snapshot as if it were fresh`)
    if (found === undefined && !isAbsentAside(id, isolate, Number.NEGATIVE_INFINITY)) {
      broken(`${id} was told to be absent by nobody who knows`)
    }
  }

  const unread: DurableAnswers["unread"] = ({ id, invokedAt, isolate }) => {
    count("not told")
    tell(`isolate ${isolate} is not told of ${id}`)
    if (!owners.wasTroubled(isolate, id, invokedAt)) broken(`${id} could not be read, and its shard was well`)
  }

  const read: DurableAnswers["read"] = (reading) => {
    const { answeredAt, found, id, invokedAt, isolate, loadable, longest, lookup } = reading
    count(`${found === undefined ? "absent" : "found"} in ${lookup.tier} ${lookup.freshness}`)
    const answer = found === undefined ? "nothing" : `#${found}`
    const truly = lookup.readAt - skews[isolate]!
    const told = `isolate ${isolate} reads ${id}: ${answer} from ${lookup.tier}, ${lookup.freshness}, of ${since(truly)}`
    tell(`${told}, asked at ${since(invokedAt)}`)
    const change = found === undefined ? undefined : changes[found]
    if (change !== undefined && !change.ids.includes(id)) broken(`${id} was never given #${found}`)
    mayBeAlive(reading, change)
    if (lookup.tier === "kv") mayBeInPlace(reading)
    if (lookup.tier === "kv" || lookup.tier === "loader") return
    mayBeThatOld(reading)
    if (found === undefined && lookup.tier === "durable" && owners.unknowingSince(id) <= Math.min(invokedAt, truly)) {
      broken(`${id} was called absent by an object that does not know what it held`)
    }
    const taken = truly - (sharedEdge ? spread : 0)
    const isAfresh = longest === 0 && !loadable && lookup.tier === "durable"
    const readAt = isAfresh ? Math.max(taken, invokedAt) : taken
    if (change?.kind !== "fill" && change?.ended?.as === "outside" && readAt <= change.ended.at) return
    // What its own isolate keeps outside is later than what edge shows.
    const isUnderWay = change?.kind !== "fill" && change?.ended?.as === "outside" && change.deliveredAt === undefined
    if (isUnderWay && lookup.tier === "edge" && change.isolate === isolate) return
    if (found === undefined && isAbsentAside(id, isolate, readAt)) return
    const own =
      lookup.tier === "memory" && !sharedEdge ? record.ownSince(id, isolate, invokedAt) : Number.NEGATIVE_INFINITY
    // A fill that no shard keeps answers for the absence that it was loaded for.
    const standing = change?.unstored ? undefined : found
    if (!record.stood(id, standing, readAt, answeredAt, own)) {
      broken(
        `${told}: that did not stand in its shard between ${since(Math.max(readAt, own))} and ${since(answeredAt)}`
      )
    }
  }

  return { read, unread }
}
