import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { type Collection, define, type Owner, type PolicyInput } from "../../store/model/Collection.ts"
import type { Entry } from "../../store/model/Entry.ts"
import type { Loaded, Store, StoreError } from "../../store/Store.ts"

/** A stored value that its schema does not read, even after migration. Readers take it for an absence. */
export class DecodeError extends Data.TaggedError("DecodeError")<{
  readonly operation: "decode"
  readonly reason: "NotJson" | "UnknownVersion" | "Mismatch"
  readonly cause?: unknown
}> {}

/**
 * A family of entries with typed keys and values. Values are stored as plain JSON; the schema's version travels in the
 * content type (`application/json; version=2`), so that anyone can read them.
 */
export interface TypedCollection<K, V> {
  readonly collection: Collection
  readonly keyOf: (key: K) => Either.Either<string, ParseResult.ParseError>
  /** The key that was stored under this name. */
  readonly keyFrom: (name: string) => Either.Either<K, ParseResult.ParseError>
  readonly encode: (
    value: V
  ) => Either.Either<{ readonly value: Uint8Array; readonly contentType: string }, ParseResult.ParseError>
  readonly decode: (entry: Entry) => Either.Either<V, DecodeError>
}

/**
 * @param options.version of the value's schema, a whole number from 1; raise it with every change that old values do
 *   not satisfy
 * @param options.migrate makes JSON of the present version out of JSON of an older one
 */
export const make = <K, V, I>(options: {
  readonly name: string
  readonly key: Schema.Schema<K, string>
  readonly value: Schema.Schema<V, I>
  readonly version?: number
  readonly migrate?: (json: unknown, version: number) => unknown
  readonly policy?: PolicyInput
  readonly application?: Owner
}): TypedCollection<K, V> => {
  const { migrate, version = 1 } = options
  const encodeValue = Schema.encodeEither(Schema.parseJson(options.value))
  const decodeValue = Schema.decodeUnknownEither(options.value)
  const contentType = `application/json; version=${version}`
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  const failed = (reason: DecodeError["reason"], cause?: unknown) =>
    Either.left(new DecodeError({ operation: "decode", reason, cause }))
  return {
    collection: define(options.name, options.policy, options.application),
    keyOf: Schema.encodeEither(options.key),
    keyFrom: Schema.decodeEither(options.key),
    encode: (value) => Either.map(encodeValue(value), (json) => ({ value: encoder.encode(json), contentType })),
    decode: (entry) => {
      let json: unknown
      try {
        json = JSON.parse(decoder.decode(entry.value))
      } catch (cause) {
        return failed("NotJson", cause)
      }
      const stored = versionOf(entry.contentType)
      if (stored > version || (stored < version && migrate === undefined)) return failed("UnknownVersion")
      try {
        const present = stored < version ? migrate!(json, stored) : json
        return Either.mapLeft(
          decodeValue(present),
          (cause) => new DecodeError({ operation: "decode", reason: "Mismatch", cause })
        )
      } catch (cause) {
        return failed("Mismatch", cause)
      }
    }
  }
}

/**
 * `Store.getOrLoad` of a typed value. One that `read` takes for an absence though it is stored makes way, and is loaded
 * anew, once.
 */
export const getOrLoad = <V, E, R>(
  store: Store["Type"],
  collection: Collection,
  name: string,
  load: Effect.Effect<Option.Option<Loaded>, E, R>,
  read: (entry: Entry | undefined) => Effect.Effect<Option.Option<V>>
): Effect.Effect<Option.Option<V>, E | StoreError, R> => {
  const answer = store.getOrLoad(collection, name, load)
  return Effect.flatMap(answer, ({ entry }) =>
    Effect.flatMap(read(entry), (value) =>
      entry === undefined || Option.isSome(value)
        ? Effect.succeed(value)
        : store.delete(collection, name).pipe(
            Effect.zipRight(answer),
            Effect.flatMap((again) => read(again.entry))
          )
    )
  )
}

/** JSON without a version is of the first. */
const versionOf = (contentType: string): number => Number(/;\s*version=(\d+)/.exec(contentType)?.[1] ?? 1)
