import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { AliasRule } from "../../aliasing/model/AliasRuleSchema.ts"
import { aliasOf } from "../../aliasing/model/CollectionAlias.ts"
import { AliasError } from "../../store/model/AliasRule.ts"
import { CollectionError, define, type PolicyInput } from "../../store/model/Collection.ts"

/** Policies by the name of the collection that they declare or change. */
export type CollectionPolicies = ReadonlyMap<string, PolicyInput>

const Seconds = Schema.transform(Schema.NonNegative, Schema.DurationFromSelf, {
  strict: true,
  decode: (seconds) => Duration.seconds(seconds),
  encode: (duration) => Duration.toSeconds(duration)
})

const Forever = Schema.transform(Schema.Literal("forever"), Schema.DurationFromSelf, {
  strict: true,
  decode: () => Duration.infinity,
  encode: () => "forever" as const
})

const Overrides = Schema.partialWith(
  Schema.Struct({
    ttl: Schema.Union(Forever, Seconds),
    memoryTtl: Seconds,
    edgeTtl: Seconds,
    staleFor: Seconds,
    graceFor: Seconds,
    negativeTtl: Seconds,
    jitter: Schema.Number,
    write: Schema.Literal("through", "behind"),
    flushEvery: Seconds,
    packed: Schema.Boolean,
    compress: Schema.Boolean,
    adaptTtl: Schema.Boolean,
    undecodable: Schema.Literal("load", "fail"),
    tags: Schema.Array(Schema.NonEmptyString),
    alias: Schema.Array(AliasRule)
  }),
  { exact: true }
)

const decode = Schema.decodeUnknownEither(Schema.parseJson(Schema.Record({ key: Schema.String, value: Overrides })), {
  onExcessProperty: "error"
})

const inOneLine = (error: ParseResult.ParseError): string =>
  ParseResult.ArrayFormatter.formatErrorSync(error)
    .map(({ message, path }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
    .join("; ")
    .replace(/\s+/g, " ")

/** Reads JSON, durations in seconds or, for `ttl`, `"forever"`. Left of what makes no collection: why. */
export const parse = (json: string): Either.Either<CollectionPolicies, string> =>
  Either.flatMap(Either.mapLeft(decode(json), inOneLine), (declared) => {
    try {
      for (const [name, policy] of Object.entries(declared)) aliasOf(define(name, policy as PolicyInput))
      return Either.right(new Map(Object.entries(declared as Record<string, PolicyInput>)))
    } catch (error) {
      if (error instanceof CollectionError || error instanceof AliasError) return Either.left(error.message)
      throw error
    }
  })
