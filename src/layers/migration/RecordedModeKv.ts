import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { optional } from "../../services/base/model/ExactOptional.ts"
import { Kv } from "../../services/kv/Kv.ts"
import { RecordedMode, RecordedModeError } from "../../services/migration/RecordedMode.ts"
import { makeJsonRecord } from "../kv/internal/jsonRecord.ts"

const Mode = Schema.Literal("kv", "durable")

const Record = Schema.Struct({
  mode: Mode,
  to: optional(Mode),
  cursor: optional(Schema.String),
  unsettled: optional(Schema.Literal(true)),
  objects: optional(Schema.Literal(true)),
  again: optional(Schema.Number)
})

/** One key of a namespace. */
export const make = (kv: Context.Tag.Service<Kv>): Context.Tag.Service<RecordedMode> =>
  makeJsonRecord(kv, "~~mode", Record, (failure) => new RecordedModeError(failure))

export const layer: Layer.Layer<RecordedMode, never, Kv> = Layer.effect(RecordedMode, Effect.map(Kv, make))
