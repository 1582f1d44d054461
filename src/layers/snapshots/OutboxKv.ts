import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { FrameError } from "../../services/compression/model/Frame.ts"
import { Kv, type KvError } from "../../services/kv/Kv.ts"
import * as Segment from "../../services/snapshots/model/Segment.ts"
import { Outbox, OutboxError, parkedFor } from "../../services/snapshots/Outbox.ts"

/** Parked writes under `~~out/<milliseconds, zero-padded>-<random>`. */
export const make = (kv: Context.Tag.Service<Kv>): Context.Tag.Service<Outbox> => ({
  park: (writes, now) =>
    Effect.gen(function* () {
      const name = `${String(now).padStart(15, "0")}-${crypto.randomUUID()}`
      yield* kv.put(prefix + name, yield* Segment.encodeWrites(writes), { expirationTtl })
      return name
    }).pipe(Effect.mapError(errorOf("park"))),
  list: (cursor) =>
    kv.list({ prefix, ...(cursor === undefined ? {} : { cursor }) }).pipe(
      Effect.map((page) => ({ names: page.keys.map(({ name }) => name.slice(prefix.length)), cursor: page.cursor })),
      Effect.mapError(errorOf("list"))
    ),
  read: (name) =>
    kv.get(prefix + name).pipe(
      Effect.flatMap((found) =>
        Option.isNone(found) ? Effect.succeed(undefined) : Segment.decodeWrites(found.value.value)
      ),
      Effect.mapError(errorOf("read"))
    )
})

export const layer: Layer.Layer<Outbox, never, Kv> = Layer.effect(Outbox, Effect.map(Kv, make))

const prefix = "~~out/"

const expirationTtl = Duration.toSeconds(parkedFor)

const errorOf =
  (operation: OutboxError["operation"]) =>
  (cause: KvError | FrameError): OutboxError =>
    new OutboxError({ operation, reason: reasonOf(cause), cause })

const reasonOf = (cause: KvError | FrameError): OutboxError["reason"] => {
  if (cause._tag === "FrameError") return cause.reason === "TooLarge" ? "TooLarge" : "Damaged"
  return cause.reason === "RateLimited" || cause.reason === "DailyLimit" || cause.reason === "TooLarge"
    ? cause.reason
    : "Unavailable"
}
