import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { Kv } from "../../services/kv/Kv.ts"

/** What is recorded may change again within the second that KV allows a key one write. */
const aWriteASecond = Schedule.intersect(Schedule.spaced("1100 millis"), Schedule.recurs(3))

/** Why a record could not be read or written, for the error of its service. */
export interface RecordFailure {
  readonly operation: "read" | "write"
  readonly reason: "Unavailable" | "Damaged"
  readonly cause: unknown
}

/** The record in these bytes. Throws where there is none. */
export const parsed = <A>(bytes: Uint8Array, isRecord: (value: unknown) => value is A): A => {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
  if (!isRecord(value)) throw new Error("not the record that is kept here")
  return value
}

/** What a value is that JSON calls an object. */
export const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}

/** A value of one key, as JSON. One billed read or write each. */
export const makeJsonRecord = <A, E>(
  kv: Context.Tag.Service<Kv>,
  key: string,
  isRecord: (value: unknown) => value is A,
  failed: (failure: RecordFailure) => E
) => {
  const unavailable = (operation: "read" | "write") => (cause: unknown) =>
    failed({ operation, reason: "Unavailable", cause })
  return {
    read: kv.get(key).pipe(
      Effect.mapError(unavailable("read")),
      Effect.flatMap((found) =>
        Option.isNone(found)
          ? Effect.succeed(undefined)
          : Effect.try({
              try: () => parsed(found.value.value, isRecord),
              catch: (cause) => failed({ operation: "read", reason: "Damaged", cause })
            })
      )
    ),
    write: (record: A): Effect.Effect<void, E> =>
      Effect.mapError(
        Effect.retry(kv.put(key, new TextEncoder().encode(JSON.stringify(record))), {
          schedule: aWriteASecond,
          while: ({ reason }) => reason === "RateLimited"
        }),
        unavailable("write")
      )
  }
}
