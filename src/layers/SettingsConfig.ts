import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { type Collection, CollectionError, define, type PolicyInput } from "../services/Collection.ts"
import { defaults, Settings, type SettingsValues } from "../services/Settings.ts"

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
    tags: Schema.Array(Schema.NonEmptyString)
  }),
  { exact: true }
)

const decodeCollections = Schema.decodeUnknownEither(
  Schema.parseJson(Schema.Record({ key: Schema.String, value: Overrides })),
  { onExcessProperty: "error" }
)

const invalid = (message: string) => Either.left(ConfigError.InvalidData(["COLLECTIONS"], message))

const parseCollections = (json: string): Either.Either<ReadonlyMap<string, Collection>, ConfigError.ConfigError> =>
  Either.match(decodeCollections(json), {
    onLeft: (error) => invalid(ParseResult.TreeFormatter.formatErrorSync(error)),
    onRight: (declared) => {
      try {
        const entries = Object.entries({ default: {}, ...declared })
        return Either.right(new Map(entries.map(([name, policy]) => [name, define(name, policy as PolicyInput)])))
      } catch (error) {
        if (error instanceof CollectionError) return invalid(error.message)
        throw error
      }
    }
  })

const within = (name: string, low: number, high: number, otherwise: number) =>
  Config.number(name).pipe(
    Config.validate({
      message: `must be between ${low} and ${high}`,
      validation: (value) => value >= low && value <= high
    }),
    Config.withDefault(otherwise)
  )

const whole = (name: string, low: number, high: number, otherwise: number) =>
  Config.integer(name).pipe(
    Config.validate({
      message: `must be a whole number between ${low} and ${high}`,
      validation: (value) => value >= low && value <= high
    }),
    Config.withDefault(otherwise)
  )

const duration = (name: string, otherwise: Duration.Duration) =>
  Config.duration(name).pipe(
    Config.validate({
      message: "must be between 1 millisecond and 1 hour",
      validation: (value) => Duration.toMillis(value) >= 1 && Duration.toMillis(value) <= 3_600_000
    }),
    Config.withDefault(otherwise)
  )

/** The settings as strings of the environment; absent ones take their defaults, bad ones fail with their name. */
export const config: Config.Config<SettingsValues> = Config.all({
  durableMode: Config.withDefault(Config.boolean("FEATURE_FLAG_DO_CACHE"), defaults.durableMode),
  memoryBytes: whole("MEMORY_BYTES", 1 << 20, 100 << 20, defaults.memoryBytes),
  memoryTier: Config.withDefault(Config.boolean("MEMORY_TIER"), defaults.memoryTier),
  edgeTier: Config.withDefault(Config.boolean("EDGE_TIER"), defaults.edgeTier),
  edgeHost: Config.withDefault(Config.nonEmptyString("EDGE_HOST"), defaults.edgeHost),
  edgeDeadline: duration("EDGE_DEADLINE", defaults.edgeDeadline),
  softDeadline: duration("SOFT_DEADLINE", defaults.softDeadline),
  kvDeadline: duration("KV_DEADLINE", defaults.kvDeadline),
  durableDeadline: duration("DURABLE_DEADLINE", defaults.durableDeadline),
  shards: whole("SHARDS", 1, 64, defaults.shards),
  loadDeadline: duration("LOAD_DEADLINE", defaults.loadDeadline),
  followerPatience: duration("FOLLOWER_PATIENCE", defaults.followerPatience),
  breakerThreshold: whole("BREAKER_THRESHOLD", 1, 1000, defaults.breakerThreshold),
  breakerCooldown: duration("BREAKER_COOLDOWN", defaults.breakerCooldown),
  refreshBeta: within("REFRESH_BETA", 0, 100, defaults.refreshBeta),
  maxValueBytes: whole("MAX_VALUE_BYTES", 1, defaults.maxValueBytes, defaults.maxValueBytes),
  maxBatchKeys: whole("MAX_BATCH_KEYS", 1, 1000, defaults.maxBatchKeys),
  clearKeys: whole("CLEAR_KEYS", 1, 9000, defaults.clearKeys),
  collections: Config.withDefault(
    Config.mapOrFail(Config.string("COLLECTIONS"), parseCollections),
    defaults.collections
  )
})

export const layer: Layer.Layer<Settings, ConfigError.ConfigError> = Layer.effect(Settings, config)

/** The defaults, with some replaced: for tests and replays. */
export const layerOf = (overrides: Partial<SettingsValues> = {}): Layer.Layer<Settings> =>
  Layer.succeed(Settings, { ...defaults, ...overrides })
