import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Kv } from "../../services/kv/Kv.ts"
import { type ModeRecord, RecordedMode, RecordedModeError } from "../../services/migration/RecordedMode.ts"
import { makeJsonRecord, membersOf } from "../kv/jsonRecord.ts"

const isMode = (value: unknown): boolean => value === "kv" || value === "durable"

const isMark = (value: unknown): boolean => value === undefined || value === true

const isRecord = (value: unknown): value is ModeRecord => {
  const { again, cursor, mode, objects, to, unsettled } = membersOf(value)
  return (
    isMode(mode) &&
    (to === undefined || isMode(to)) &&
    (cursor === undefined || typeof cursor === "string") &&
    (again === undefined || typeof again === "number") &&
    isMark(unsettled) &&
    isMark(objects)
  )
}

/** One key of a namespace. */
export const make = (kv: Context.Tag.Service<Kv>): Context.Tag.Service<RecordedMode> =>
  makeJsonRecord(kv, "~~mode", isRecord, (failure) => new RecordedModeError(failure))

export const layer: Layer.Layer<RecordedMode, never, Kv> = Layer.effect(RecordedMode, Effect.map(Kv, make))
