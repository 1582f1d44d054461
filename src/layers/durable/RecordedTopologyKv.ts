import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Topology } from "../../services/durable/model/Topology.ts"
import {
  RecordedTopology,
  RecordedTopologyError,
  type RecordedTopologyService,
  type TopologyRecord
} from "../../services/durable/RecordedTopology.ts"
import { Kv } from "../../services/kv/Kv.ts"
import { makeJsonRecord, membersOf } from "../kv/jsonRecord.ts"

const isTopology = (value: unknown): value is Topology => {
  const { generation, shards } = membersOf(value)
  return Number.isInteger(generation) && Number.isInteger(shards)
}

const isRecord = (value: unknown): value is TopologyRecord => {
  const { to } = membersOf(value)
  return isTopology(value) && (to === undefined || isTopology(to))
}

/** One key of the objects' own namespace. */
export const make = (kv: Context.Tag.Service<Kv>): RecordedTopologyService =>
  makeJsonRecord(kv, "~~topology", isRecord, (failure) => new RecordedTopologyError(failure))

export const layer: Layer.Layer<RecordedTopology, never, Kv> = Layer.effect(RecordedTopology, Effect.map(Kv, make))
