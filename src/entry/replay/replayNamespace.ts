import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KvBudgeted from "../../layers/budget/KvBudgeted.ts"
import * as KvMemory from "../../layers/kv/KvMemory.ts"
import * as KvMetered from "../../layers/kv/KvMetered.ts"
import { makePackedEntries } from "../../layers/routing/packedEntries.ts"
import * as StoreDirect from "../../layers/routing/StoreDirect.ts"
import * as StoreKvPacked from "../../layers/routing/StoreKvPacked.ts"
import * as KvSimulated from "../../layers/simulation/KvSimulated.ts"
import { Kv, type KvEntry, type KvError } from "../../services/kv/Kv.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { freeDailyKv } from "../../services/ledger/model/Prices.ts"
import * as ReplayedValue from "../../services/replay/model/ReplayedValue.ts"
import { Workload } from "../../services/replay/Workload.ts"
import { defaults } from "../../services/settings/Settings.ts"
import { documented, lagOf } from "../../services/simulation/model/KvConsistency.ts"
import { defaultContentType, type Entry, zeroStamp } from "../../services/store/model/Entry.ts"
import { addressOf } from "../../services/tiers/ReadPath.ts"
import type { IsolateOptions, RecordStore } from "./replayIsolates.ts"

/** Parts that stand between a store and KV: without any of them, one logical operation is one KV operation. */
const cachingParts = ["memory", "edge", "batch", "pack", "prefetch"] as const

/**
 * A simulated namespace as the store of record, every location with its own view of it. What the workload says is there
 * from the beginning lies in it as the stack itself would have left it: packed where it packs.
 */
export const make = ({ parts, plan, seed }: IsolateOptions): Effect.Effect<RecordStore, never, Workload | Ledger> =>
  Effect.gen(function* () {
    const ledger = yield* Ledger
    const beginning = yield* Effect.orDie(beginningOf(yield* Workload))
    const world = KvSimulated.makeWorld({
      seed,
      ...(plan === "free" ? { daily: freeDailyKv } : {}),
      initial: (physical) => beginning.get(physical),
      initialKeys: () => beginning.keys(),
      carried: (entry) => entry
    })
    const caches = cachingParts.some((part) => parts.has(part))
    return {
      storeAt: (location, budget) => {
        const kv = KvBudgeted.make(KvMetered.make(world.at(location), ledger, "CACHE_KV"), budget, "refusing")
        return Layer.provide(caches ? StoreKvPacked.layer : StoreDirect.layer, Layer.succeed(Kv, kv))
      },
      current: (collection, key) =>
        Effect.clockWith((clock) => {
          const now = clock.unsafeCurrentTimeMillis()
          const truth = readingFrom((physical) => world.current(physical, now))
          return Effect.map(
            Effect.orDie(makePackedEntries(truth, defaults).readMany([addressOf(collection, key)])),
            ({ observations }) => {
              const entry = observations[0]?.entry
              return entry !== undefined && now < entry.expiresAt ? entry.value : undefined
            }
          )
        }),
      settle: Effect.void,
      atRest: () => ({}),
      keeps: "kv",
      lagMillis: lagOf(documented)
    }
  })

/** What lies under each physical key. */
const beginningOf = ({ entries }: Workload["Type"]): Effect.Effect<ReadonlyMap<string, KvEntry>, KvError> =>
  Effect.gen(function* () {
    const kv = KvMemory.make()
    const found = new Map<string, KvEntry>()
    const put: Kv["Type"]["put"] = (name, value, options) =>
      Effect.sync(() => void found.set(name, { value, metadata: options?.metadata ?? null }))
    const recording = makePackedEntries({ ...readingFrom((name) => found.get(name)), put, list: kv.list }, defaults)
    const writes = entries.flatMap(({ collection, initial, key, size }, number) => {
      const entry: Entry = {
        value: ReplayedValue.encode(0, size, number),
        contentType: defaultContentType,
        tags: collection.policy.tags,
        stamp: zeroStamp,
        expiresAt: Number.POSITIVE_INFINITY,
        loadMillis: 0
      }
      return initial ? [{ address: addressOf(collection, key), entry, stamp: zeroStamp }] : []
    })
    const failed = (yield* recording.writeMany(writes, yield* Clock.currentTimeMillis)).find((error) => error)
    return failed === undefined ? found : yield* failed
  })

/** A namespace that is only read. */
const readingFrom = (find: (physical: string) => KvEntry | undefined): Kv["Type"] => ({
  ...KvMemory.make(),
  get: (physical) => Effect.sync(() => Option.fromNullable(find(physical))),
  getBulk: (physicals) => Effect.sync(() => new Map(physicals.map((physical) => [physical, find(physical)])))
})
