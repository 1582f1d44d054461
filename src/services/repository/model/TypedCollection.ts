import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { type Collection, define, type Owner, type PolicyInput } from "../../store/model/Collection.ts"
import type { Entry } from "../../store/model/Entry.ts"
import { type Loaded, type Store, StoreError } from "../../store/Store.ts"

/** A stored value that its schema does not read, even after migration. */
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
  const encodeValue = Schema.encodeEither(options.value)
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
    encode: (value) =>
      Either.flatMap(encodeValue(value), (json) =>
        hasNoJson(json)
          ? Either.left(ParseResult.parseError(new ParseResult.Type(options.value.ast, value, noJson)))
          : Either.right({ value: encoder.encode(JSON.stringify(json)), contentType })
      ),
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
 * `Store.getOrLoad` of a typed value. A stored value that its schema does not read stays as it is: it may be somebody
 * else's, or a later deployment's. The collection's policy says whether the loader's value is served beside it.
 *
 * @param collection under the policy in force
 * @param unreadable told of a stored value that was not read
 */
export const getOrLoad = <K, V, E, R, E2>(
  store: Store["Type"],
  { decode }: Pick<TypedCollection<K, V>, "decode">,
  collection: Collection,
  name: string,
  load: Effect.Effect<Option.Option<V>, E, R>,
  encode: (value: V) => Effect.Effect<Loaded, E2>,
  unreadable: (error: DecodeError) => Effect.Effect<void>
): Effect.Effect<Option.Option<V>, E | E2 | StoreError, R> =>
  Effect.flatMap(
    store.getOrLoad(
      collection,
      name,
      Effect.flatMap(
        load,
        (found): Effect.Effect<Option.Option<Loaded>, E2> =>
          Option.isNone(found) ? Effect.succeedNone : Effect.asSome(encode(found.value))
      )
    ),
    ({ entry }): Effect.Effect<Option.Option<V>, E | StoreError, R> =>
      entry === undefined
        ? Effect.succeedNone
        : Either.match(decode(entry), {
            onRight: Effect.succeedSome,
            onLeft: (error) => Effect.zipRight(unreadable(error), whereUnreadable(collection, error, load))
          })
  )

/** What takes the place of a stored value that was not read, under the collection's policy. */
export const whereUnreadable = <A, E, R>(
  { policy }: Collection,
  cause: DecodeError,
  otherwise: Effect.Effect<A, E, R>
): Effect.Effect<A, E | StoreError, R> =>
  policy.undecodable === "fail"
    ? Effect.fail(new StoreError({ operation: "get", reason: "Undecodable", cause }))
    : otherwise

/** JSON without a version is of the first. */
const versionOf = (contentType: string): number => Number(/;\s*version=(\d+)/.exec(contentType)?.[1] ?? 1)

const noJson = "NaN and infinite numbers have no form in JSON"

/** Whether a number is in it that JSON would turn into null, so that the value could not be read again. */
const hasNoJson = (value: unknown): boolean => {
  if (typeof value === "number") return !Number.isFinite(value)
  if (typeof value !== "object" || value === null) return value === undefined
  return (Array.isArray(value) ? value : Object.values(value).filter((member) => member !== undefined)).some(hasNoJson)
}
