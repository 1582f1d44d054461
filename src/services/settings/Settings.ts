import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { BreakerLimits } from "../base/model/Breaker.ts"
import type { DailyAllowance } from "../budget/model/KvAllowance.ts"
import { deskCollections } from "../desk/model/DeskCollections.ts"
import { operationsPerInvocation } from "../kv/KvInvocation.ts"
import type { Collection } from "../store/model/Collection.ts"
import { define } from "../store/model/Collection.ts"

/**
 * Every tunable of Larder. The environment variable of each is its name in upper case, words parted by `_`; durations
 * are written with a unit (`50 millis`, `10 seconds`).
 */
export interface SettingsValues {
  /** Whether Durable Objects keep the entries, or KV itself. Variable `FEATURE_FLAG_DO_CACHE`. Default true. */
  readonly durableMode: boolean
  /** Bytes that isolate memory may hold. 1 MiB to 100 MiB; an isolate has 128 MiB in all. Default 50 MB. */
  readonly memoryBytes: number
  /** Whether the memory tier answers. Default true. */
  readonly memoryTier: boolean
  /** Whether the edge tier is asked. Default true. */
  readonly edgeTier: boolean
  /** Host name in edge cache keys; a name that no zone of yours serves. Default `larder.internal`. */
  readonly edgeHost: string
  /** How long a read waits for the edge cache before it goes on without. Default 50 ms. */
  readonly edgeDeadline: Duration.Duration
  /** How long a read that holds a stale answer waits for a fresh one. Default 100 ms. */
  readonly softDeadline: Duration.Duration
  /** How long one operation of KV is waited for, and a put a second longer for every MiB. Default 5 s: p99 of a cold key is 0.8 s. */
  readonly kvDeadline: Duration.Duration
  /**
   * KV operations that one invocation may ask for, a bulk read counting for one: 1,000 on the paid plan, 50 on the free
   * one. What does not fit is refused key by key. 1 to 10,000. Default 1,000.
   */
  readonly kvOperations: number
  /**
   * Edge cache calls that one invocation may make: the free plan allows 50, the paid one 1,000. Beyond it the edge tier
   * is left out. 0 to 1,000. Default 40.
   */
  readonly edgeOperations: number
  /** How long a read or write waits for its shard, and how long a write's first try counts as such. Default 2 s. */
  readonly durableDeadline: Duration.Duration
  /** Durable Objects that share the keys. 1 to 64; each serves some hundred requests a second. Default 1. */
  readonly shards: number
  /** How long a loader may take. Default 10 s. */
  readonly loadDeadline: Duration.Duration
  /** How long a request waits for another one's load of the same key before it loads itself. Default 2 s. */
  readonly followerPatience: Duration.Duration
  /** Failures in a row that open a tier's circuit breaker. Default 5. */
  readonly breakerThreshold: number
  /** How long an open breaker skips its tier before it lets one call try. Default 10 s. */
  readonly breakerCooldown: Duration.Duration
  /** XFetch's beta: above 1 refreshes earlier. Default 1. */
  readonly refreshBeta: number
  /**
   * How probable it must be that an entry is asked for within its next life before it is refreshed ahead of time. 0
   * refreshes whatever is due, 1 nothing. Default 0.5.
   */
  readonly refreshTheta: number
  /** Whether what sessions ask for next is learned and fetched along. Default true. */
  readonly prefetch: boolean
  /** Whether operations are batched and writes buffered where their collection says so. Default true. */
  readonly batcher: boolean
  /** Share of prefetched entries that are to be asked for; lower fetches more. 0.05 to 0.95. Default 0.6. */
  readonly prefetchPrecision: number
  /**
   * What a millisecond less to wait is worth, in dollars. Above 0, a KV read of its own may be made for a prediction
   * where `confidence * milliseconds * price` exceeds the price of the read. Default 0: never.
   */
  readonly prefetchLatencyUsd: number
  /** Where prices come from: generated ones, or `marketBaseUrl`. Default `sample`. */
  readonly marketSource: "sample" | "http"
  /** Of a service like Yahoo's charts; `/v8/finance/chart/{symbol}` is appended. Default `https://query1.finance.yahoo.com`. */
  readonly marketBaseUrl: string
  /** How long the provider of prices may take for one symbol, and until when quotes of further ones are asked for. Default 3 s. */
  readonly marketDeadline: Duration.Duration
  /** How often a stream of quotes looks for changes. Default 5 s. */
  readonly quoteStreamInterval: Duration.Duration
  /** After how long a stream of quotes ends; clients come back by themselves. Default 5 minutes. */
  readonly quoteStreamLife: Duration.Duration
  /** Text classifier of Workers AI, where there is a binding `AI`. Default `@cf/huggingface/distilbert-sst-2-int8`. */
  readonly sentimentModel: string
  /** Bytes that the static tables and what is derived from them may hold. 128 KiB to 8 MiB. Default 512 KiB. */
  readonly staticBytes: number
  /** Whether webhooks may go to `http` and to local names and addresses. Default false; for local use only. */
  readonly webhookAllowLocal: boolean
  /** How long one attempt to notify a webhook may take. Default 10 s. */
  readonly webhookDeadline: Duration.Duration
  /** Alert rules that there may be. 1 to 1,000. Default 500. */
  readonly maxAlertRules: number
  /**
   * KV operations that a UTC day allows, all isolates together. Variables `BUDGET_READS`, `BUDGET_WRITES`,
   * `BUDGET_DELETES`, `BUDGET_LISTS`, whole numbers from 0; a kind that is left out is unlimited. Default none.
   */
  readonly budget: DailyAllowance
  /** Whether the alias rules that collections declare apply. Default true. */
  readonly keyAlias: boolean
  /** Largest body of a PUT. Default and maximum 25 MiB, KV's own limit. */
  readonly maxValueBytes: number
  /** Keys that one batch request may name. Default 1,000. */
  readonly maxBatchKeys: number
  /** Keys that one clear deletes before it answers that there are more. Default 900: an invocation has 1,000 operations. */
  readonly clearKeys: number
  /**
   * Declared collections by name; `default` and those of `DeskCollections` always exist. `COLLECTIONS` is JSON, durations in seconds or, for `ttl`, `"forever"`:
   * `{"quotes": {"ttl": 300, "memoryTtl": 5, "tags": ["market"]}}`; the fields are those of `Policy`.
   */
  readonly collections: ReadonlyMap<string, Collection>
}

export const defaults: SettingsValues = {
  durableMode: true,
  memoryBytes: 50_000_000,
  memoryTier: true,
  edgeTier: true,
  edgeHost: "larder.internal",
  edgeDeadline: Duration.millis(50),
  softDeadline: Duration.millis(100),
  kvDeadline: Duration.seconds(5),
  kvOperations: operationsPerInvocation,
  edgeOperations: 40,
  durableDeadline: Duration.seconds(2),
  shards: 1,
  loadDeadline: Duration.seconds(10),
  followerPatience: Duration.seconds(2),
  breakerThreshold: 5,
  breakerCooldown: Duration.seconds(10),
  refreshBeta: 1,
  refreshTheta: 0.5,
  prefetch: true,
  batcher: true,
  prefetchPrecision: 0.6,
  prefetchLatencyUsd: 0,
  marketSource: "sample",
  marketBaseUrl: "https://query1.finance.yahoo.com",
  marketDeadline: Duration.seconds(3),
  quoteStreamInterval: Duration.seconds(5),
  quoteStreamLife: Duration.minutes(5),
  sentimentModel: "@cf/huggingface/distilbert-sst-2-int8",
  staticBytes: 512 * 1024,
  webhookAllowLocal: false,
  webhookDeadline: Duration.seconds(10),
  maxAlertRules: 500,
  budget: {},
  keyAlias: true,
  maxValueBytes: 25 * 1024 * 1024,
  maxBatchKeys: 1000,
  clearKeys: 900,
  collections: new Map(
    [define("default"), define("static"), ...deskCollections].map((collection) => [collection.name, collection])
  )
}

/** The settings in force. */
export class Settings extends Context.Tag("larder/Settings")<Settings, SettingsValues>() {}

/** When a circuit breaker opens, and for how long. */
export const breakerLimits = ({ breakerCooldown, breakerThreshold }: SettingsValues): BreakerLimits => ({
  threshold: breakerThreshold,
  cooldownMillis: Duration.toMillis(breakerCooldown)
})

/** How old an answer of some tier in front of the store of record may be. Milliseconds. */
export const longestAge = (settings: SettingsValues): number => {
  let longest = 0
  for (const { millis } of settings.collections.values()) {
    longest = Math.max(longest, Math.max(millis.memoryTtl, millis.edgeTtl) + millis.staleFor)
  }
  return longest
}
