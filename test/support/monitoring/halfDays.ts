import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ReplayIsolates from "../../../src/entry/replay/replayIsolates.ts"
import { partsNamed } from "../../../src/entry/replay/replayOptions.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as WorkloadAlerts from "../../../src/layers/replay/WorkloadAlerts.ts"
import * as WorkloadTradingDay from "../../../src/layers/replay/WorkloadTradingDay.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { replayWorkload } from "../../../src/programs/replay/replayWorkload.ts"
import { dayMillis, dayOf } from "../../../src/services/base/model/UtcDay.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { type Figures, flattened, part } from "../../../src/services/monitoring/model/Figures.ts"
import * as TradingDay from "../../../src/services/replay/model/TradingDay.ts"
import { Workload } from "../../../src/services/replay/Workload.ts"
import type { CollectionPolicies } from "../../../src/services/settings/model/CollectionPolicies.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { defaultStaticBytes } from "../../../src/services/static-data/StaticSettings.ts"
import { type Collection, define } from "../../../src/services/store/model/Collection.ts"

export interface HalfDay {
  readonly figures: Figures
  readonly millis: number
  readonly usd: number
  readonly collections: ReadonlyMap<string, Collection>
}

export type Scenario = "alerts" | "trading-day"

/** The collections of the scenarios as nobody has packed them, with policies changed as `COLLECTIONS` would. */
const collectionsWith = (policies: CollectionPolicies): TradingDay.TradingDayCollections => {
  const unpacked = TradingDay.collections({ packed: false })
  return Object.fromEntries(
    Object.entries(unpacked).map(([role, { name, policy }]) => [
      role,
      define(name, { ...policy, ...policies.get(name) })
    ])
  ) as unknown as TradingDay.TradingDayCollections
}

const tables = (): WorkloadTradingDay.TradingDayTables => {
  const data = StaticDataBundled.make(defaultStaticBytes, () => 0)
  const stocks = data.symbols.filter(({ kind }) => kind === "stock").map(({ symbol }) => symbol)
  return { symbols: stocks.slice(0, 60), sectors: data.sectors.map(({ etf }) => etf) }
}

/** The requests of one half of the day. */
const halfOf = (workload: Workload["Type"], half: "first" | "second"): Workload["Type"] => {
  const noon = (dayOf(workload.request(0).at) + 0.5) * dayMillis
  const requests = Array.from({ length: workload.length }, (_, index) => workload.request(index)).filter(
    ({ at }) => at < noon === (half === "first")
  )
  return { ...workload, length: requests.length, request: (index) => requests[index]! }
}

/** What the ledger counted, as the figures of all isolates have it. */
const figuresOf = (
  { byCollection, byNamespace, total }: ReturnType<Ledger["Type"]["report"]>,
  durable: boolean
): Figures => {
  const { reads } = total.logical
  const beyond = durable ? reads : total.kv.reads
  return {
    ...flattened("ledger", total),
    "answered|memory": Math.max(0, reads - beyond),
    [durable ? "answered|durable" : "answered|kv"]: beyond,
    ...Object.assign({}, ...Object.entries(byNamespace).map(([name, of]) => flattened(`namespace|${part(name)}`, of))),
    ...Object.assign(
      {},
      ...Object.entries(byCollection).map(([name, { kv, kvCalls, logical }]) => ({
        ...flattened(`collection|${part(name)}`, { kv, kvCalls, logical }),
        [`collection|${part(name)}|answered|${durable ? "durable" : "kv"}`]: durable ? logical.reads : kv.reads
      }))
    )
  }
}

/** Replays half a day of a scenario on the whole of a mode, under these policies. */
export const halfDay = (
  scenario: Scenario,
  mode: "kv" | "durable",
  half: "first" | "second",
  seed: number,
  policies: CollectionPolicies = new Map()
): HalfDay => {
  const collections = collectionsWith(policies)
  const whole =
    scenario === "alerts"
      ? WorkloadAlerts.make(seed, collections)
      : WorkloadTradingDay.make(seed, collections, tables())
  const workload = halfOf(whole, half)
  const report = replayWorkload({ isolates: 6, locations: 3, meanLife: 900_000, seed }).pipe(
    Effect.zipRight(Effect.map(Ledger, (ledger) => ledger.report())),
    Effect.provide(
      ReplayIsolates.layer({
        parts: partsNamed(mode, undefined)!,
        memoryBytes: defaults.memoryBytes,
        shards: 1,
        plan: "paid",
        seed,
        budgetWrites: undefined,
        prefetchPrecision: undefined
      })
    ),
    Effect.provideService(Workload, workload),
    Effect.provide(LedgerMemory.layer)
  )
  const found = Exit.getOrElse(VirtualTime.make(workload.request(0).at, seed).run(report), (cause) => {
    throw new Error("the replay itself failed", { cause })
  })
  return {
    figures: figuresOf(found, mode === "durable"),
    millis: dayMillis / 2,
    usd: found.usd.spent,
    collections: new Map(Object.values(collections).map((collection) => [collection.name, collection]))
  }
}
