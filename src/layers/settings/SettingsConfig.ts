import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { DailyAllowance } from "../../services/budget/model/KvAllowance.ts"
import type { KvKind } from "../../services/kv/Kv.ts"
import { defaults, Settings, type SettingsValues } from "../../services/settings/Settings.ts"
import { type Collection, CollectionError, define, type PolicyInput } from "../../services/store/model/Collection.ts"
import { AliasRule } from "../aliasing/internal/aliasSchema.ts"

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
        const collections = new Map(defaults.collections)
        for (const [name, policy] of Object.entries(declared)) {
          const known = collections.get(name)
          collections.set(name, define(name, { ...known?.policy, ...(policy as PolicyInput) }, known?.application))
        }
        return Either.right(collections)
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

const webUrl = (name: string, otherwise: string) =>
  Config.string(name).pipe(
    Config.validate({
      message: "must be a URL of http or https, without a query",
      validation: (value) => /^https?:\/\/[\w.:[\]-]+(\/[^\s?#]*)?$/.test(value)
    }),
    Config.withDefault(otherwise)
  )

const allowance = (kind: KvKind): Config.Config<DailyAllowance> =>
  Config.integer(`BUDGET_${kind.toUpperCase()}`).pipe(
    Config.validate({ message: "must be a whole number from 0", validation: (value) => value >= 0 }),
    Config.map((value) => ({ [kind]: value })),
    Config.withDefault({})
  )

const budget: Config.Config<DailyAllowance> = Config.map(
  Config.all([allowance("reads"), allowance("writes"), allowance("deletes"), allowance("lists")]),
  (kinds) => Object.assign({}, ...kinds)
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
  kvOperations: whole("KV_OPERATIONS", 1, 10_000, defaults.kvOperations),
  edgeOperations: whole("EDGE_OPERATIONS", 0, 1000, defaults.edgeOperations),
  durableDeadline: duration("DURABLE_DEADLINE", defaults.durableDeadline),
  shards: whole("SHARDS", 1, 64, defaults.shards),
  loadDeadline: duration("LOAD_DEADLINE", defaults.loadDeadline),
  followerPatience: duration("FOLLOWER_PATIENCE", defaults.followerPatience),
  breakerThreshold: whole("BREAKER_THRESHOLD", 1, 1000, defaults.breakerThreshold),
  breakerCooldown: duration("BREAKER_COOLDOWN", defaults.breakerCooldown),
  refreshBeta: within("REFRESH_BETA", 0, 100, defaults.refreshBeta),
  refreshTheta: within("REFRESH_THETA", 0, 1, defaults.refreshTheta),
  batcher: Config.withDefault(Config.boolean("BATCHER"), defaults.batcher),
  prefetch: Config.withDefault(Config.boolean("PREFETCH"), defaults.prefetch),
  prefetchPrecision: within("PREFETCH_PRECISION", 0.05, 0.95, defaults.prefetchPrecision),
  prefetchLatencyUsd: within("PREFETCH_LATENCY_USD", 0, 1, defaults.prefetchLatencyUsd),
  marketSource: Config.withDefault(Config.literal("sample", "http")("MARKET_SOURCE"), defaults.marketSource),
  marketBaseUrl: webUrl("MARKET_BASE_URL", defaults.marketBaseUrl),
  marketDeadline: duration("MARKET_DEADLINE", defaults.marketDeadline),
  quoteStreamInterval: duration("QUOTE_STREAM_INTERVAL", defaults.quoteStreamInterval),
  quoteStreamLife: duration("QUOTE_STREAM_LIFE", defaults.quoteStreamLife),
  sentimentModel: Config.withDefault(Config.nonEmptyString("SENTIMENT_MODEL"), defaults.sentimentModel),
  staticBytes: whole("STATIC_BYTES", 128 << 10, 8 << 20, defaults.staticBytes),
  webhookAllowLocal: Config.withDefault(Config.boolean("WEBHOOK_ALLOW_LOCAL"), defaults.webhookAllowLocal),
  webhookDeadline: duration("WEBHOOK_DEADLINE", defaults.webhookDeadline),
  maxAlertRules: whole("MAX_ALERT_RULES", 1, 1000, defaults.maxAlertRules),
  budget,
  keyAlias: Config.withDefault(Config.boolean("KEY_ALIAS"), defaults.keyAlias),
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
