import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { concat } from "../../services/base/model/ByteCodec.ts"
import * as Frame from "../../services/compression/model/Frame.ts"
import type { ShardWrite } from "../../services/durable/Shard.ts"
import { Kv, type KvError } from "../../services/kv/Kv.ts"
import * as Segment from "../../services/snapshots/model/Segment.ts"
import { Outbox, OutboxError, parkedFor } from "../../services/snapshots/Outbox.ts"
import { bytesOf } from "../../services/store/model/EntryBytes.ts"

export interface OutboxKvOptions {
  /** Bytes of values that are encoded together. Default 24 MiB: one value of KV's 25 MiB is encoded by itself. */
  readonly frameBytes?: number
  /** The most bytes put under one key. Default 24 MiB. */
  readonly partBytes?: number
}

const mebibyte = 1024 * 1024

/**
 * Parked writes under `~~out/<milliseconds, zero-padded>-<random>`, as frames one behind the other. What is too much for
 * one KV value goes on under `~~outp/<name>/<part>`, from part 1 on; the name ends with `.` and the number of parts then.
 * The value that is listed is put last.
 */
export const make = (kv: Context.Tag.Service<Kv>, options: OutboxKvOptions = {}): Context.Tag.Service<Outbox> => ({
  park: (writes, now) =>
    Effect.gen(function* () {
      const { frameBytes = 24 * mebibyte, partBytes = 24 * mebibyte } = options
      const frames = yield* Either.all(framed(writes, frameBytes).map(Segment.encodeWrites))
      const value = frames.length === 1 ? frames[0]! : concat(frames)
      const parts = Math.max(1, Math.ceil(value.byteLength / partBytes))
      const unique = `${String(now).padStart(15, "0")}-${crypto.randomUUID()}`
      const name = parts === 1 ? unique : `${unique}.${parts}`
      const keys = [...keysOf(name).entries()].reverse()
      yield* Effect.forEach(
        keys,
        ([part, key]) => kv.put(key, value.subarray(part * partBytes, (part + 1) * partBytes), { expirationTtl }),
        { discard: true }
      )
      return name
    }).pipe(Effect.mapError(errorOf("park"))),
  list: (cursor) =>
    kv.list({ prefix, ...(cursor === undefined ? {} : { cursor }) }).pipe(
      Effect.map((page) => ({ names: page.keys.map(({ name }) => name.slice(prefix.length)), cursor: page.cursor })),
      Effect.mapError(errorOf("list"))
    ),
  read: (name) =>
    Effect.gen(function* () {
      const parts: Array<Uint8Array> = []
      for (const key of keysOf(name)) {
        const found = yield* kv.get(key)
        if (Option.isNone(found)) return undefined
        parts.push(found.value.value)
      }
      const frames = yield* Frame.split(parts.length === 1 ? parts[0]! : concat(parts))
      return (yield* Either.all(frames.map(Segment.decodeWrites))).flat()
    }).pipe(Effect.mapError(errorOf("read")))
})

export const layer: Layer.Layer<Outbox, never, Kv> = Layer.effect(Outbox, Effect.map(Kv, make))

const prefix = "~~out/"
const partPrefix = "~~outp/"

/** The keys of a name's parts, in order. */
const keysOf = (name: string): ReadonlyArray<string> => {
  const parts = Number(/\.(\d+)$/.exec(name)?.[1] ?? 1)
  return Array.from({ length: parts }, (_, part) => (part === 0 ? prefix + name : `${partPrefix}${name}/${part}`))
}

/** Consecutive writes whose values take at most so many bytes together, or one write; one group at least. */
const framed = (writes: ReadonlyArray<ShardWrite>, most: number): ReadonlyArray<ReadonlyArray<ShardWrite>> => {
  const groups: Array<Array<ShardWrite>> = [[]]
  let bytes = 0
  for (const write of writes) {
    const own = bytesOf(write.body)
    if (groups.at(-1)!.length > 0 && bytes + own > most) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)!.push(write)
    bytes += own
  }
  return groups
}

const expirationTtl = Duration.toSeconds(parkedFor)

const errorOf =
  (operation: OutboxError["operation"]) =>
  (cause: KvError | Frame.FrameError): OutboxError =>
    new OutboxError({ operation, reason: reasonOf(cause), cause })

const reasonOf = (cause: KvError | Frame.FrameError): OutboxError["reason"] => {
  if (cause._tag === "FrameError") return cause.reason === "TooLarge" ? "TooLarge" : "Damaged"
  return cause.reason === "RateLimited" || cause.reason === "DailyLimit" || cause.reason === "TooLarge"
    ? cause.reason
    : "Unavailable"
}
