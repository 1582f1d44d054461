import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Kv } from "../services/Kv.ts"
import { RecordedTopology, RecordedTopologyError, type RecordedTopologyService } from "../services/RecordedTopology.ts"

const key = "~~topology"

const topology = { generation: Schema.Int, shards: Schema.Int }

const Text = Schema.parseJson(
  Schema.Struct({ ...topology, to: Schema.optionalWith(Schema.Struct(topology), { exact: true }) })
)

const decode = Schema.decode(Text)
const encode = Schema.encodeSync(Text)

/** A reshard of few rows begins and ends within the second that KV allows the key one write. */
const aWriteASecond = Schedule.intersect(Schedule.spaced("1100 millis"), Schedule.recurs(3))

/** One key of the objects' own namespace, as JSON. One billed read or write each. */
export const make = (kv: Context.Tag.Service<Kv>): RecordedTopologyService => ({
  read: kv.get(key).pipe(
    Effect.mapError((cause) => new RecordedTopologyError({ operation: "read", reason: "Unavailable", cause })),
    Effect.flatMap((found) =>
      Option.isNone(found)
        ? Effect.succeed(undefined)
        : Effect.mapError(
            decode(new TextDecoder().decode(found.value.value)),
            (cause) => new RecordedTopologyError({ operation: "read", reason: "Damaged", cause })
          )
    )
  ),
  write: (record) =>
    Effect.mapError(
      Effect.retry(kv.put(key, new TextEncoder().encode(encode(record))), {
        schedule: aWriteASecond,
        while: ({ reason }) => reason === "RateLimited"
      }),
      (cause) => new RecordedTopologyError({ operation: "write", reason: "Unavailable", cause })
    )
})

export const layer: Layer.Layer<RecordedTopology, never, Kv> = Layer.effect(RecordedTopology, Effect.map(Kv, make))
