import * as Effect from "effect/Effect"
import { type ObjectPlace, retiredTo, sealedTo, type Topology } from "../../services/durable/model/Topology.ts"
import {
  RecordedTopology,
  type RecordedTopologyError,
  type TopologyRecord
} from "../../services/durable/RecordedTopology.ts"
import { Shard } from "../../services/durable/Shard.ts"

/** What an object can bring back: a snapshot, and what was kept outside for `own`. How many rows of each. */
export interface Restores<E, E2, R> {
  readonly snapshot: Effect.Effect<number, E, R>
  readonly outbox: (own: Topology) => Effect.Effect<number, E2, R>
}

/**
 * What an object does that has never had a row, or has lost them all; how many rows that brought, and whether it was the last time. Those whose keys
 * are elsewhere keep none. Where keys are on their way, the old objects send what is missing, and what was kept outside
 * must not come before the rows that know of it.
 *
 * @param onKnown called once all that was saved is there: from then on what the object lacks is absent. The outbox can
 *   follow later: what is in it was never acknowledged by this object, or is gone with its disk
 */
export const recoverShard = <E, E2, R>(
  place: ObjectPlace,
  shards: number,
  { outbox, snapshot }: Restores<E, E2, R>,
  onKnown: () => void
) =>
  Effect.gen(function* () {
    const shard = yield* Shard
    const record = yield* recordOf(shards)
    const { to, ...current } = record
    if (current.generation > place.generation) {
      shard.setSeal(retiredTo(current))
      return { forGood: true, rows: 0 }
    }
    const rows = yield* snapshot
    if (current.generation < place.generation) return { forGood: false, rows }
    if (to === undefined) {
      onKnown()
      return { forGood: true, rows: rows + (yield* outbox(current)) }
    }
    if (shard.seal() === undefined) shard.setSeal({ ...sealedTo(to), blind: true })
    return { forGood: true, rows }
  })

/** For an object that knows what it held, on command. Refused while keys are on their way: the rows of both sides are one store then. */
export const restoreUnmoved = <E, E2, R>(
  place: ObjectPlace,
  shards: number,
  { outbox, snapshot }: Restores<E, E2, R>
): Effect.Effect<number, E | E2 | Error, R> =>
  Effect.flatMap(
    recordOf(shards),
    ({ to, ...current }): Effect.Effect<number, E | E2 | Error, R> =>
      to === undefined && current.generation === place.generation
        ? Effect.zipWith(snapshot, outbox(current), (saved, parked) => saved + parked)
        : Effect.fail(new Error("keys are moving between objects: nothing is restored meanwhile"))
  )

const recordOf = (shards: number): Effect.Effect<TopologyRecord, RecordedTopologyError> =>
  Effect.gen(function* () {
    const recorded = yield* RecordedTopology
    const record = recorded === undefined ? undefined : yield* recorded.read
    return record ?? { generation: 0, shards }
  })
