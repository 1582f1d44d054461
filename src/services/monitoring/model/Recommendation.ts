import { type LedgerTotals, usdOf } from "../../ledger/Ledger.ts"
import { freeDailyKv } from "../../ledger/model/Prices.ts"
import type { SettingsValues } from "../../settings/Settings.ts"
import type { Figures } from "./Figures.ts"
import { usdInObjects } from "./ModeCosts.ts"
import { collectionsIn, summaryOf, totalsIn } from "./Performance.ts"
import { adviseOnPolicies, aliasChange } from "./PolicyAdvice.ts"

/** A setting that would save something, with the figure it follows from. */
export interface Recommendation {
  readonly id: string
  readonly title: string
  /** What was counted, and over how long. */
  readonly figure: string
  /** Undefined where it takes more than a setting. */
  readonly setting?: { readonly name: string; readonly value: string }
  /** What to do where it takes more than a setting. */
  readonly instead?: string
  /** At the rate of the time that the figure is of; 30 days. */
  readonly saves: { readonly operationsPerMonth: number; readonly usdPerMonth: number }
  readonly risk: string
}

/** What recommendations are made from: figures of a span, and how long that was. */
export interface Basis {
  readonly figures: Figures
  readonly millis: number
  readonly shape: LedgerTotals
  readonly settings: Pick<
    SettingsValues,
    | "durableMode"
    | "prefetch"
    | "edgeTier"
    | "memoryTier"
    | "batcher"
    | "keyAlias"
    | "memoryBytes"
    | "collections"
    | "shards"
  >
  /** What the variable `COLLECTIONS` holds, if anything: a change of it has to keep what it says. */
  readonly collectionsText: string | undefined
  readonly suggestions: ReadonlyArray<{
    readonly collection: string
    readonly keys: readonly [string, string]
    readonly equal: number
    readonly unequal: number
    readonly rule: string | undefined
  }>
}

/** What an application recommends of its own, where there is enough to go by. */
export type Advise = (basis: Pick<Basis, "figures" | "millis" | "shape">) => ReadonlyArray<Recommendation>

const monthMillis = 30 * 86_400_000

/** A span shorter than this, or with fewer reads, says nothing of a month. */
const leastMillis = 600_000
const leastReads = 100

/** Of a saving, the part that may depend on what no figure says: beyond it nothing is recommended. */
const mostDoubt = 0.1

/** Requests of one object from which it may be overloaded soon. */
const mostPerSecond = 300

const count = (value: number): string => Math.round(value).toLocaleString("en-US")

/** Dollars of so many operations at list price. */
const price = (
  shape: LedgerTotals,
  counts: Partial<LedgerTotals["kv"]>,
  objects: Partial<LedgerTotals["durableObject"]>
) =>
  usdOf({
    ...shape,
    kv: { reads: 0, writes: 0, deletes: 0, lists: 0, ...counts },
    durableObject: { requests: 0, rowsRead: 0, rowsWritten: 0, ...objects },
    durableObjectMillis: 0,
    edge: { matches: 0, puts: 0, deletes: 0 },
    other: {}
  })

/**
 * Those that save most first. Nothing that saves nothing, and nothing before there is enough to go by.
 *
 * @param applications what these recommend beside the cache's own
 */
export const recommend = (basis: Basis, applications: ReadonlyArray<Advise> = []): ReadonlyArray<Recommendation> => {
  const { figures, millis, settings, shape, suggestions } = basis
  const now = summaryOf(figures, shape)
  if (millis < leastMillis || now.reads < leastReads) return []
  /** Without what no setting of the cache changes: the buckets and databases of applications. */
  const spent = usdOf({ ...totalsIn(figures, shape), other: {} })
  const monthly = (amount: number): number => (amount * monthMillis) / millis
  const during = `in ${count(millis / 60_000)} minutes`
  const found: Array<Recommendation> = []

  const {
    issued = 0,
    used = 0,
    wasted = 0,
    carried = 0
  } = {
    issued: figures["prefetch|issued"],
    used: figures["prefetch|used"],
    wasted: figures["prefetch|wasted"],
    carried: figures["prefetch|carried"]
  }
  if (settings.prefetch && used + wasted >= 50 && used / (used + wasted) < 0.2) {
    found.push({
      id: "prefetch-off",
      title: "Predict less: what is fetched along is hardly ever asked for",
      figure: `${count(used)} of ${count(used + wasted)} predictions were of use ${during}, of ${count(issued)} made`,
      setting: { name: "PREFETCH", value: "false" },
      saves: {
        operationsPerMonth: monthly(carried),
        usdPerMonth: monthly(price(shape, {}, { rowsRead: carried }))
      },
      risk: "The few reads that were predicted wait for their tier again."
    })
  }

  const { answered, logical } = now
  const changes = logical.writes + logical.deletes
  if (settings.durableMode) {
    const inKv = price(
      shape,
      { reads: answered.durable, writes: logical.writes, deletes: logical.deletes, lists: logical.lists },
      {}
    )
    const saved = spent - inKv
    const isPacked = [...settings.collections.values()].some(({ policy }) => policy.packed)
    if (saved > 0 && monthly(saved) > 0.01 && !isPacked) {
      found.push({
        id: "kv-mode",
        title: "Keep entries in KV itself: the objects cost more than they save",
        figure: `$${spent.toFixed(6)} ${during}; in KV ${count(answered.durable)} reads and ${count(changes)} changes would be $${inKv.toFixed(6)}`,
        instead: "Change FEATURE_FLAG_DO_CACHE as docs/deploying.md says.",
        saves: { operationsPerMonth: monthly(now.durableObject.requests), usdPerMonth: monthly(saved) },
        risk: "Reads elsewhere lag by up to a minute, and one key takes one write a second."
      })
    }
  } else {
    const { least, most: inObjects } = usdInObjects(figures, millis, shape)
    const saved = spent - inObjects
    if (saved > 0 && monthly(saved) > 0.01 && inObjects - least <= mostDoubt * saved) {
      found.push({
        id: "durable-mode",
        title: "Keep entries in objects: KV's reads and writes cost more",
        figure: `$${spent.toFixed(6)} ${during}; ${count(now.kv.reads)} reads and ${count(now.kv.writes + now.kv.deletes)} changes of KV in objects would be $${inObjects.toFixed(6)}`,
        instead: "Bind CACHE_DO and change FEATURE_FLAG_DO_CACHE as docs/deploying.md says.",
        saves: {
          operationsPerMonth: monthly(now.kv.reads + now.kv.writes + now.kv.deletes + now.kv.lists),
          usdPerMonth: monthly(saved)
        },
        risk: "An object serves some hundred requests a second; more takes more shards."
      })
    }
    if (monthly(now.kv.writes) / 30 > freeDailyKv.writes) {
      found.push({
        id: "free-plan-writes",
        title: "More KV writes a day than the Free plan allows",
        figure: `${count(monthly(now.kv.writes) / 30)} writes a day at this rate; the Free plan allows ${count(freeDailyKv.writes)}`,
        instead: "Declare collections that may wait with write: behind in COLLECTIONS, or use durable mode.",
        saves: { operationsPerMonth: 0, usdPerMonth: 0 },
        risk: "What is buffered is lost with its isolate."
      })
    }
  }

  const beyondMemory = answered.edge + answered.durable + answered.kv
  if (!settings.memoryTier && beyondMemory > 0) {
    found.push({
      id: "memory-on",
      title: "Turn the memory tier on",
      figure: `${count(beyondMemory)} reads went beyond the isolate ${during}`,
      setting: { name: "MEMORY_TIER", value: "true" },
      saves: { operationsPerMonth: 0, usdPerMonth: 0 },
      risk: "Reads may be as old as the collection's memoryTtl."
    })
  }
  const evictions = figures["memory|evictions"] ?? 0
  if (settings.memoryTier && settings.memoryBytes < 80 << 20 && evictions > now.reads / 20) {
    const perRead = beyondMemory === 0 ? 0 : spent / beyondMemory
    const spared = Math.min(evictions, beyondMemory)
    found.push({
      id: "memory-larger",
      title: "Give the memory tier more bytes",
      figure: `${count(evictions)} entries were displaced ${during}, at ${count(now.reads)} reads`,
      setting: { name: "MEMORY_BYTES", value: String(Math.min(100 << 20, settings.memoryBytes * 2)) },
      saves: { operationsPerMonth: monthly(spared), usdPerMonth: monthly(spared * perRead) },
      risk: "An isolate has 128 MiB in all; one that needs more is ended."
    })
  }
  for (const { collection, equal, keys, rule, unequal } of suggestions.slice(0, 5)) {
    if (rule === undefined || unequal > 0) continue
    const setting = aliasChange(basis, collection, rule, keys)
    found.push({
      id: `alias-${rule}-${collection}`,
      title: `Let keys of ${collection} that differ in ${rule} only be one`,
      figure: `"${keys[0]}" and "${keys[1]}" held the same ${equal} times, and never different values`,
      ...(setting === undefined
        ? { instead: "Declare the alias rule in COLLECTIONS, see docs/aliases.md." }
        : { setting }),
      saves: { operationsPerMonth: 0, usdPerMonth: 0 },
      risk: "Two keys that are joined can never differ again."
    })
  }
  found.push(...adviseOnPolicies(basis, monthly), ...applications.flatMap((advise) => advise(basis)))
  const perSecond = now.durableObject.requests / (millis / 1000) / settings.shards
  if (settings.durableMode && perSecond > mostPerSecond) {
    found.push({
      id: "more-shards",
      title: "Share the keys among more objects",
      figure: `${count(perSecond)} requests a second and object ${during}; one serves some hundred`,
      instead: `POST /api/v1/admin/reshard with {"shards": ${Math.min(64, settings.shards * 2)}}; it says first what that bills.`,
      saves: { operationsPerMonth: 0, usdPerMonth: 0 },
      risk: "While keys move, writes to them are answered 503 with Retry-After."
    })
  }
  return found.sort((a, b) => b.saves.usdPerMonth - a.saves.usdPerMonth)
}

/** What so many operations of each collection would have cost as they were before: KV by collection, objects in all. */
const asBefore = (before: Figures, after: Figures, shape: LedgerTotals): number => {
  const was = new Map(collectionsIn(before, shape).map((of) => [of.collection, of]))
  const ratio = (cost: number, asked: number) => (asked === 0 ? 0 : cost / asked)
  const kv = collectionsIn(after, shape).map(({ collection, kv: spent, logical }) => {
    const then = was.get(collection)
    if (then === undefined) return spent
    return {
      reads: ratio(then.kv.reads, then.logical.reads) * logical.reads,
      writes: ratio(then.kv.writes, then.logical.writes) * logical.writes,
      deletes: ratio(then.kv.deletes, then.logical.deletes) * logical.deletes,
      lists: ratio(then.kv.lists, then.logical.lists) * logical.lists
    }
  })
  const total = totalsIn(before, shape)
  const operations = (of: LedgerTotals) => of.logical.reads + of.logical.writes + of.logical.deletes
  const more = ratio(operations(totalsIn(after, shape)), operations(total))
  const { durableObject, durableObjectMillis } = total
  const objects = usdOf({
    ...shape,
    kv: { reads: 0, writes: 0, deletes: 0, lists: 0 },
    edge: { matches: 0, puts: 0, deletes: 0 },
    other: {},
    durableObject,
    durableObjectMillis
  })
  return kv.reduce((sum, counts) => sum + price(shape, counts, {}), objects * more)
}

/**
 * What a change has saved since, in dollars a month at the traffic since: each collection's operations are priced as they
 * were before the change, so that other traffic is no saving.
 */
export const measured = (
  before: { readonly figures: Figures; readonly millis: number },
  after: { readonly figures: Figures; readonly millis: number },
  shape: LedgerTotals
): { readonly usdPerMonth: number } | undefined => {
  const was = totalsIn(before.figures, shape)
  const is = totalsIn(after.figures, shape)
  if (was.logical.reads < leastReads || is.logical.reads < leastReads || after.millis === 0) return undefined
  const saved = asBefore(before.figures, after.figures, shape) - usdOf(is)
  return { usdPerMonth: (saved * monthMillis) / after.millis }
}
