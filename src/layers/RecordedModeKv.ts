import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Kv } from "../services/Kv.ts"
import { RecordedMode, RecordedModeError } from "../services/RecordedMode.ts"

const key = "~~mode"

const Mode = Schema.Literal("kv", "durable")

const Text = Schema.parseJson(
  Schema.Struct({
    mode: Mode,
    to: Schema.optionalWith(Mode, { exact: true }),
    cursor: Schema.optionalWith(Schema.String, { exact: true }),
    unsettled: Schema.optionalWith(Schema.Literal(true), { exact: true }),
    objects: Schema.optionalWith(Schema.Literal(true), { exact: true }),
    again: Schema.optionalWith(Schema.Number, { exact: true })
  })
)

const decode = Schema.decode(Text)
const encode = Schema.encodeSync(Text)

/** A pass over few entries begins and ends within the second that KV allows the key one write. */
const aWriteASecond = Schedule.intersect(Schedule.spaced("1100 millis"), Schedule.recurs(3))

/** One key of a namespace, as JSON. One billed read or write each. */
export const make = (kv: Context.Tag.Service<Kv>): Context.Tag.Service<RecordedMode> => ({
  read: kv.get(key).pipe(
    Effect.mapError((cause) => new RecordedModeError({ operation: "read", reason: "Unavailable", cause })),
    Effect.flatMap((found) =>
      Option.isNone(found)
        ? Effect.succeed(undefined)
        : Effect.mapError(
            decode(new TextDecoder().decode(found.value.value)),
            (cause) => new RecordedModeError({ operation: "read", reason: "Damaged", cause })
          )
    )
  ),
  write: (record) =>
    Effect.mapError(
      Effect.retry(kv.put(key, new TextEncoder().encode(encode(record))), {
        schedule: aWriteASecond,
        while: ({ reason }) => reason === "RateLimited"
      }),
      (cause) => new RecordedModeError({ operation: "write", reason: "Unavailable", cause })
    )
})

export const layer: Layer.Layer<RecordedMode, never, Kv> = Layer.effect(RecordedMode, Effect.map(Kv, make))
