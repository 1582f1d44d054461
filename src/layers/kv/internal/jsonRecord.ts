import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { Kv } from "../../../services/kv/Kv.ts"

/** What is recorded may change again within the second that KV allows a key one write. */
const aWriteASecond = Schedule.intersect(Schedule.spaced("1100 millis"), Schedule.recurs(3))

/** Why a record could not be read or written, for the error of its service. */
export interface RecordFailure {
  readonly operation: "read" | "write"
  readonly reason: "Unavailable" | "Damaged"
  readonly cause: unknown
}

/** A value of one key, as JSON. One billed read or write each. */
export const makeJsonRecord = <A, I, E>(
  kv: Context.Tag.Service<Kv>,
  key: string,
  schema: Schema.Schema<A, I>,
  failed: (failure: RecordFailure) => E
) => {
  const text = Schema.parseJson(schema)
  const decode = Schema.decode(text)
  const encode = Schema.encodeSync(text)
  const unavailable = (operation: "read" | "write") => (cause: unknown) =>
    failed({ operation, reason: "Unavailable", cause })
  return {
    read: kv.get(key).pipe(
      Effect.mapError(unavailable("read")),
      Effect.flatMap((found) =>
        Option.isNone(found)
          ? Effect.succeed(undefined)
          : Effect.mapError(decode(new TextDecoder().decode(found.value.value)), (cause) =>
              failed({ operation: "read", reason: "Damaged", cause })
            )
      )
    ),
    write: (record: A): Effect.Effect<void, E> =>
      Effect.mapError(
        Effect.retry(kv.put(key, new TextEncoder().encode(encode(record))), {
          schedule: aWriteASecond,
          while: ({ reason }) => reason === "RateLimited"
        }),
        unavailable("write")
      )
  }
}
