import * as Effect from "effect/Effect"
import { type ObjectPlace, retiredTo, sealedTo, type Topology } from "../../services/durable/model/Topology.ts"
import {
  RecordedTopology,
  type RecordedTopologyError,
  type TopologyRecord
} from "../../services/durable/RecordedTopology.ts"
import { Shard } from "../../services/durable/Shard.ts"

/** What an object can bring back: its newest snapshot, and with `outbox` also what was kept outside for `own`. */
export interface Restores<E, R> {
  readonly snapshot: Effect.Effect<unknown, E, R>
  readonly all: (own: Topology) => Effect.Effect<number, E, R>
}

/**
 * What an object does that has never had a row, or has lost them all; whether that was the last time. Those whose keys
 * are elsewhere keep none. Where keys are on their way, the old objects send what is missing, and what was kept outside
 * must not come before the rows that know of it.
 */
export const recoverShard = <E, R>(place: ObjectPlace, shards: number, { all, snapshot }: Restores<E, R>) =>
  Effect.gen(function* () {
    const shard = yield* Shard
    const record = yield* recordOf(shards)
    const { to, ...current } = record
    if (current.generation > place.generation) {
      shard.setSeal(retiredTo(current))
      return true
    }
    if (current.generation < place.generation) {
      yield* snapshot
      return false
    }
    if (to === undefined) yield* all(current)
    else {
      yield* snapshot
      if (shard.seal() === undefined) shard.setSeal({ ...sealedTo(to), blind: true })
    }
    return true
  })

/** As `restore`, on command. Refused while keys are on their way: the rows of both sides are one store then. */
export const restoreUnmoved = <E, R>(
  place: ObjectPlace,
  shards: number,
  { all }: Pick<Restores<E, R>, "all">
): Effect.Effect<number, E | Error, R> =>
  Effect.flatMap(
    recordOf(shards),
    ({ to, ...current }): Effect.Effect<number, E | Error, R> =>
      to === undefined && current.generation === place.generation
        ? all(current)
        : Effect.fail(new Error("keys are moving between objects: nothing is restored meanwhile"))
  )

const recordOf = (shards: number): Effect.Effect<TopologyRecord, RecordedTopologyError> =>
  Effect.gen(function* () {
    const recorded = yield* RecordedTopology
    const record = recorded === undefined ? undefined : yield* recorded.read
    return record ?? { generation: 0, shards }
  })
