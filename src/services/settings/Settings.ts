import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { DailyAllowance } from "../budget/model/KvAllowance.ts"
import { operationsPerInvocation } from "../kv/KvInvocation.ts"
import { type Collection, define } from "../store/model/Collection.ts"
import { type CollectionPolicies, parse } from "./model/CollectionPolicies.ts"
import {
  defaultsOf,
  duration,
  flag,
  integer,
  limit,
  number,
  type Setting,
  type SettingsGroup,
  text,
  type Values
} from "./model/Setting.ts"

const modes = {
  durableMode: flag({
    variable: "FEATURE_FLAG_DO_CACHE",
    default: true,
    documentation: "Whether Durable Objects keep the entries, or KV itself."
  }),
  shards: integer({
    variable: "SHARDS",
    default: 1,
    least: 1,
    most: 64,
    documentation:
      "Durable Objects that share the keys; each serves some hundred requests a second. Only before the first deployment, later [admin/reshard](operations.md#changing-the-number-of-shards)."
  })
}

const tiers = {
  memoryTier: flag({ variable: "MEMORY_TIER", default: true, documentation: "Whether the memory tier answers." }),
  memoryBytes: integer({
    variable: "MEMORY_BYTES",
    default: 50_000_000,
    least: 1 << 20,
    most: 100 << 20,
    documentation: "Bytes that the memory tier of an isolate may hold; an isolate has 128 MiB in all."
  }),
  edgeTier: flag({ variable: "EDGE_TIER", default: true, documentation: "Whether the edge tier is asked." }),
  edgeHost: text({
    variable: "EDGE_HOST",
    default: "larder.internal",
    allowed: "a host name that no zone of yours serves",
    documentation: "Host name in the keys of the edge tier."
  }),
  edgeDeadline: duration({
    variable: "EDGE_DEADLINE",
    default: Duration.millis(50),
    documentation: "How long a read waits for the edge tier before it goes on without."
  }),
  softDeadline: duration({
    variable: "SOFT_DEADLINE",
    default: Duration.millis(100),
    documentation: "How long a read that holds a stale answer waits for a fresh one."
  }),
  kvDeadline: duration({
    variable: "KV_DEADLINE",
    default: Duration.seconds(5),
    documentation:
      "How long one operation of KV is waited for, and a put a second longer for every MiB; p99 of a cold key is 0.8 s."
  }),
  kvOperations: integer({
    variable: "KV_OPERATIONS",
    default: operationsPerInvocation,
    least: 1,
    most: 10_000,
    documentation:
      "KV operations that one invocation may ask for, a bulk read counting for one: 1,000 on the paid plan, 50 on the free one. What does not fit is refused key by key."
  }),
  edgeOperations: integer({
    variable: "EDGE_OPERATIONS",
    default: 40,
    least: 0,
    most: 1000,
    documentation:
      "Edge cache calls that one invocation may make: the free plan allows 50, the paid one 1,000. Beyond it the edge tier is left out."
  }),
  durableDeadline: duration({
    variable: "DURABLE_DEADLINE",
    default: Duration.seconds(2),
    documentation: "How long a read or write waits for its shard, and how long a write's first attempt counts as such."
  }),
  loadDeadline: duration({
    variable: "LOAD_DEADLINE",
    default: Duration.seconds(10),
    documentation: "How long a loader may take."
  }),
  followerPatience: duration({
    variable: "FOLLOWER_PATIENCE",
    default: Duration.seconds(2),
    documentation: "How long a request waits for another one's load of the same key before it loads itself."
  }),
  breakerThreshold: integer({
    variable: "BREAKER_THRESHOLD",
    default: 5,
    least: 1,
    most: 1000,
    documentation: "Failures in a row that open a tier's circuit breaker."
  }),
  breakerCooldown: duration({
    variable: "BREAKER_COOLDOWN",
    default: Duration.seconds(10),
    documentation: "How long an open circuit breaker skips its tier before it lets one call try."
  }),
  refreshBeta: number({
    variable: "REFRESH_BETA",
    default: 1,
    least: 0,
    most: 100,
    documentation: "XFetch's beta: above 1 refreshes earlier."
  }),
  refreshTheta: number({
    variable: "REFRESH_THETA",
    default: 0.5,
    least: 0,
    most: 1,
    documentation:
      "How probable it must be that an entry is asked for within its next life before it is refreshed ahead of time: 0 refreshes whatever is due, 1 nothing."
  })
}

const budgets = {
  budgetReads: limit({
    variable: "BUDGET_READS",
    documentation: "KV reads that a UTC day allows; see [budget.md](budget.md)."
  }),
  budgetWrites: limit({ variable: "BUDGET_WRITES", documentation: "KV writes that a UTC day allows." }),
  budgetDeletes: limit({ variable: "BUDGET_DELETES", documentation: "KV deletes that a UTC day allows." }),
  budgetLists: limit({ variable: "BUDGET_LISTS", documentation: "KV lists that a UTC day allows." })
}

const parts = {
  batcher: flag({
    variable: "BATCHER",
    default: true,
    documentation: "Whether operations are batched, and writes buffered where their collection says so."
  }),
  keyAlias: flag({
    variable: "KEY_ALIAS",
    default: true,
    documentation: "Whether the alias rules that collections declare apply; see [aliases.md](aliases.md)."
  }),
  prefetch: flag({
    variable: "PREFETCH",
    default: true,
    documentation: "Whether what sessions ask for next is learned and fetched along; see [prefetch.md](prefetch.md)."
  }),
  prefetchPrecision: number({
    variable: "PREFETCH_PRECISION",
    default: 0.6,
    least: 0.05,
    most: 0.95,
    documentation: "Share of prefetched entries that are to be asked for; lower fetches more."
  }),
  prefetchLatencyUsd: number({
    variable: "PREFETCH_LATENCY_USD",
    default: 0,
    least: 0,
    most: 1,
    documentation:
      "What a millisecond less to wait is worth, in dollars: above 0, a prediction may cost a KV read where `confidence * milliseconds * price` exceeds the price of the read."
  })
}

const requests = {
  maxValueBytes: integer({
    variable: "MAX_VALUE_BYTES",
    default: 25 << 20,
    least: 1,
    most: 25 << 20,
    documentation: "Largest body of a PUT; KV itself takes no more than 25 MiB."
  }),
  maxBatchKeys: integer({
    variable: "MAX_BATCH_KEYS",
    default: 1000,
    least: 1,
    most: 1000,
    documentation: "Keys that one batch request may name."
  }),
  clearKeys: integer({
    variable: "CLEAR_KEYS",
    default: 900,
    least: 1,
    most: 9000,
    documentation:
      "Keys that one clear deletes before it answers that there are more; an invocation has 1,000 operations on the Free plan."
  })
}

const noPolicies: CollectionPolicies = new Map()

const collections: Setting<CollectionPolicies> = {
  variable: "COLLECTIONS",
  default: noPolicies,
  allowed: "JSON, or a table of TOML: policies by the name of their collection",
  documentation: "Collections beside `default` and those of the applications, or other policies for these; see below.",
  parse,
  format: (policies) => (policies.size === 0 ? "none" : [...policies.keys()].join(", "))
}

const withoutCollections = { ...modes, ...tiers, ...budgets, ...parts, ...requests }

/** Every setting of the cache itself, by room. Applications declare their own. */
export const declared = /* @__PURE__ */ declaredWith(collections)

/** A call, so that a bundle which reads no variables leaves the parser of policies out. */
function declaredWith<C>(collections: C) {
  return { ...withoutCollections, collections }
}

/** The values of the settings as programs read them. */
export interface SettingsValues extends Omit<Values<typeof declared>, keyof typeof budgets | "collections"> {
  /** KV operations that a UTC day allows, all isolates together. */
  readonly budget: DailyAllowance
  /** All collections by name: `default`, those of the applications, and those that `COLLECTIONS` declares. */
  readonly collections: ReadonlyMap<string, Collection>
}

/** The settings in force. */
export class Settings extends Context.Tag("larder/Settings")<Settings, SettingsValues>() {}

/** What the cache itself reads of the environment. */
export const cacheSettings = { tag: Settings, settings: declared, secrets: ["API_KEYS"] } satisfies SettingsGroup

/** The namespace itself, which every cache has: what is put without a ttl stays for ever, as with `KV.put`. */
const own = define("default", { ttl: Duration.infinity })

/** @param applications the collections that applications declare */
export const valuesOf = (
  values: Values<typeof declared>,
  applications: ReadonlyArray<Collection> = []
): SettingsValues => {
  const { budgetDeletes, budgetLists, budgetReads, budgetWrites, collections, ...rest } = values
  const byName = new Map([own, ...applications].map((collection) => [collection.name, collection]))
  for (const [name, policy] of collections) {
    const known = byName.get(name)
    const next = { ...known?.policy, ...policy }
    // Nobody knows what an earlier version of the variable said.
    byName.set(name, define(name, { ...next, packed: next.packed ?? false }, known?.application))
  }
  return {
    ...rest,
    budget: {
      ...(budgetReads !== undefined && { reads: budgetReads }),
      ...(budgetWrites !== undefined && { writes: budgetWrites }),
      ...(budgetDeletes !== undefined && { deletes: budgetDeletes }),
      ...(budgetLists !== undefined && { lists: budgetLists })
    },
    collections: byName
  }
}

/** The settings of a cache without applications, where no variable says otherwise. */
export const defaults: SettingsValues = valuesOf({
  ...defaultsOf(withoutCollections),
  collections: noPolicies
})
/** How old an answer of some tier in front of the store of record may be. Milliseconds. */
export const longestAge = (settings: SettingsValues): number => {
  let longest = 0
  for (const { millis } of settings.collections.values()) {
    longest = Math.max(longest, Math.max(millis.memoryTtl, millis.edgeTtl) + millis.staleFor)
  }
  return longest
}

/** What the tiers in front of a store of record go by. */
export type TierSettings = Pick<
  SettingsValues,
  | "edgeDeadline"
  | "edgeOperations"
  | "softDeadline"
  | "followerPatience"
  | "breakerThreshold"
  | "breakerCooldown"
  | "refreshBeta"
  | "refreshTheta"
  | "durableMode"
>
