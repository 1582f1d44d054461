import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { openConnections } from "../base/model/OpenConnections.ts"

export type KvOperation = "get" | "getBulk" | "put" | "delete" | "list"

/**
 * - `RateLimited`: more than one write a second to one key (429); a retry after a second may succeed.
 * - `DailyLimit`: the Free plan's allowance for this kind is spent; useless to retry before 00:00 UTC.
 * - `InvocationLimit`: this invocation has used its operations; useless to retry in it.
 * - `TooLarge`: value over 25 MiB, metadata over 1,024 bytes, or a bulk answer over 25 MB.
 * - `BadKey`: empty, `.`, `..`, or over 512 bytes of UTF-8. `BadOption`: any other argument KV refuses.
 * - `Unavailable`: KV itself failed, or did not answer in time.
 * - `LeftOut`: not asked for, as what was read before it came to as many bytes as were wanted.
 */
export type KvReason =
  | "RateLimited"
  | "DailyLimit"
  | "InvocationLimit"
  | "TooLarge"
  | "BadKey"
  | "BadOption"
  | "Unavailable"
  | "LeftOut"

export class KvError extends Data.TaggedError("KvError")<{
  readonly operation: KvOperation
  readonly reason: KvReason
  /** The namespace, by the name of its binding, and the first key that was asked for; where they are known. */
  readonly binding?: string
  readonly key?: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `KV ${this.operation} failed: ${this.reason}${this.cause instanceof Error ? ` (${this.cause.message})` : ""}`
  }
}

export interface KvEntry {
  readonly value: Readonly<Uint8Array>
  /** Whatever JSON was put beside the value; `null` when there is none. */
  readonly metadata: unknown
}

/**
 * One key's answer in a bulk read: the entry, `undefined` for a missing key, or `"undecodable"` when the value
 * exists but is not UTF-8 text (a bulk read carries text only), so that a single `get` must fetch its bytes. A value
 * that begins with one UTF-8 byte order mark comes without it: decoding drops it, and nothing tells.
 */
export type BulkAnswer = KvEntry | undefined | "undecodable"

export interface KvPutOptions {
  /** Seconds from now, at least 60. */
  readonly expirationTtl?: number
  /** JSON of at most 1,024 bytes. */
  readonly metadata?: unknown
}

export interface KvListed {
  readonly name: string
  /** Seconds since the epoch. */
  readonly expiration: number | undefined
  readonly metadata: unknown
}

export interface KvPage {
  readonly keys: ReadonlyArray<KvListed>
  /** Present while there is more; a page may be empty and still have one. */
  readonly cursor: string | undefined
}

/**
 * One Workers KV namespace, one member per *physical* operation, so that whatever wraps it (meter, retries,
 * faults) sees exactly what Cloudflare bills. Programs never use it: they use `Store`.
 */
export class Kv extends Context.Tag("larder/Kv")<
  Kv,
  {
    /** Bills one read, hit or miss. `cacheTtl` in seconds, at least 30: how long this location may reuse the answer. */
    readonly get: (
      key: string,
      options?: { readonly cacheTtl?: number }
    ) => Effect.Effect<Option.Option<KvEntry>, KvError>
    /** One call for 1 to 100 distinct keys; bills one read per key. Use {@link getMany} for any number of keys. */
    readonly getBulk: (
      keys: ReadonlyArray<string>,
      options?: { readonly cacheTtl?: number }
    ) => Effect.Effect<ReadonlyMap<string, BulkAnswer>, KvError>
    /** Bills one write. At most one a second per key. */
    readonly put: (key: string, value: Readonly<Uint8Array>, options?: KvPutOptions) => Effect.Effect<void, KvError>
    /** Bills one delete, whether or not the key exists. */
    readonly delete: (key: string) => Effect.Effect<void, KvError>
    /** Bills one list. Keys in UTF-8 byte order; `limit` 1 to 1,000. */
    readonly list: (options?: {
      readonly prefix?: string
      readonly cursor?: string
      readonly limit?: number
    }) => Effect.Effect<KvPage, KvError>
  }
>() {}

/** Workers KV limits: kv/platform/limits, 2026-04-21. */
export const limits = {
  keyBytes: 512,
  valueBytes: 25 * 1024 * 1024,
  metadataBytes: 1024,
  bulkKeys: 100,
  listKeys: 1000,
  minExpirationTtl: 60,
  minCacheTtl: 30
} as const

/** Milliseconds that KV takes, as a rule, until every location sees a write: "up to 60 seconds or more". */
export const propagationMillis = 60_000

const encoder = new TextEncoder()

/** Bytes of a string in UTF-8. */
export const utf8Bytes = (text: string): number => encoder.encode(text).byteLength

/** Whether KV itself would take this key. */
export const isLegalKey = (key: string): boolean =>
  key !== "" &&
  key !== "." &&
  key !== ".." &&
  key.isWellFormed() &&
  // No unit of UTF-16 takes more than three bytes of UTF-8: most keys need no encoding to tell.
  (key.length * 3 <= limits.keyBytes || utf8Bytes(key) <= limits.keyBytes)

/** Keys that the binding's bulk read loses, as workerd makes a plain object of its answer: those like array indices, and `__proto__`. */
const isLostInBulk = (key: string): boolean => key === "__proto__" || /^(?:0|[1-9]\d{0,9})$/.test(key)

/**
 * Reads any number of keys, byte for byte: distinct keys in chunks of 100, one call each; an answer too large for
 * one call is split in half; a value that is not text is read again by itself (a second billed read).
 */
export const getMany = (
  kv: Context.Tag.Service<Kv>,
  keys: ReadonlyArray<string>,
  options?: { readonly cacheTtl?: number }
): Effect.Effect<ReadonlyMap<string, KvEntry>, KvError> =>
  Effect.suspend(() => {
    const found = new Map<string, KvEntry>()
    return Effect.as(
      gather(kv, keys, found, (_, error) => Effect.fail(error), options),
      found
    )
  })

/**
 * The same, but what could not be read of one key fails that key alone.
 *
 * @param maxBytes of values, after which no further key is asked for. One call is made first, and then as many at a time
 *   as come to no more by what those before them were like: a call holds 25 MB at most.
 */
export const getEach = (
  kv: Context.Tag.Service<Kv>,
  keys: ReadonlyArray<string>,
  maxBytes = Number.POSITIVE_INFINITY
): Effect.Effect<ReadonlyMap<string, KvEntry | KvError>> =>
  Effect.gen(function* () {
    const found = new Map<string, KvEntry | KvError>()
    const fail = (failed: ReadonlyArray<string>, error: KvError) =>
      Effect.sync(() => {
        for (const key of failed) found.set(key, error)
      })
    if (maxBytes === Number.POSITIVE_INFINITY) {
      yield* gather(kv, keys, found, fail)
      return found
    }
    let bytes = 0
    const counting = {
      set: (key: string, entry: KvEntry) => {
        bytes += entry.value.byteLength
        found.set(key, entry)
      }
    }
    let [asked, together] = [0, 1]
    while (asked < keys.length && bytes < maxBytes) {
      const next = keys.slice(asked, asked + together * limits.bulkKeys)
      yield* gather(kv, next, counting, fail, undefined, () => bytes >= maxBytes)
      asked += next.length
      const left = Math.floor((maxBytes - bytes) / Math.max(1, bytes / asked) / limits.bulkKeys)
      together = Math.max(1, Math.min(openConnections, left))
    }
    yield* fail(keys.slice(asked), leftOut)
    return found
  })

const leftOut = new KvError({ operation: "getBulk", reason: "LeftOut" })

/** @param isSpent whether what is not asked for yet is left out */
const gather = <E>(
  kv: Context.Tag.Service<Kv>,
  keys: ReadonlyArray<string>,
  found: { readonly set: (key: string, entry: KvEntry) => unknown },
  fail: (keys: ReadonlyArray<string>, error: KvError) => Effect.Effect<void, E>,
  options?: { readonly cacheTtl?: number },
  isSpent: () => boolean = () => false
): Effect.Effect<void, E> => {
  const unlessSpent = (part: ReadonlyArray<string>, ask: Effect.Effect<void, E>) =>
    Effect.suspend(() => (isSpent() ? fail(part, leftOut) : ask))
  const single = (key: string) =>
    unlessSpent(
      [key],
      Effect.matchEffect(kv.get(key, options), {
        onFailure: (error) => fail([key], error),
        onSuccess: (entry) =>
          Effect.sync(() => {
            if (entry._tag === "Some") found.set(key, entry.value)
          })
      })
    )
  const chunk = (part: ReadonlyArray<string>): Effect.Effect<void, E> =>
    part.length === 1 ? single(part[0]!) : unlessSpent(part, together(part))
  const together = (part: ReadonlyArray<string>): Effect.Effect<void, E> =>
    Effect.matchEffect(kv.getBulk(part, options), {
      onFailure: (error) => {
        if (error.reason !== "TooLarge") return fail(part, error)
        const half = part.length >> 1
        return Effect.zipRight(chunk(part.slice(0, half)), chunk(part.slice(half)))
      },
      onSuccess: (answers) => {
        const again: Array<string> = []
        for (const [key, answer] of answers) {
          if (answer === "undecodable") again.push(key)
          else if (answer !== undefined) found.set(key, answer)
        }
        return Effect.forEach(again, single, { concurrency: openConnections, discard: true })
      }
    })
  const distinct = [...new Set(keys)]
  const inBulk = distinct.filter((key) => !isLostInBulk(key))
  const chunks: Array<ReadonlyArray<string>> = distinct.filter(isLostInBulk).map((key) => [key])
  for (let from = 0; from < inBulk.length; from += limits.bulkKeys) {
    chunks.push(inBulk.slice(from, from + limits.bulkKeys))
  }
  return Effect.forEach(chunks, chunk, { concurrency: openConnections, discard: true })
}
