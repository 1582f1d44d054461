import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import {
  RecordedTopology,
  RecordedTopologyError,
  type RecordedTopologyService
} from "../../services/durable/RecordedTopology.ts"
import { Kv } from "../../services/kv/Kv.ts"
import { makeJsonRecord } from "../kv/internal/jsonRecord.ts"

const topology = { generation: Schema.Int, shards: Schema.Int }

const Record = Schema.Struct({ ...topology, to: optional(Schema.Struct(topology)) })

/** One key of the objects' own namespace. */
export const make = (kv: Context.Tag.Service<Kv>): RecordedTopologyService =>
  makeJsonRecord(kv, "~~topology", Record, (failure) => new RecordedTopologyError(failure))

export const layer: Layer.Layer<RecordedTopology, never, Kv> = Layer.effect(RecordedTopology, Effect.map(Kv, make))
