import * as Effect from "effect/Effect"
import { snapshotSectors } from "../../programs/market/snapshotSectors.ts"
import type { MarketHistory } from "../../services/market/MarketHistory.ts"
import { MarketSettings } from "../../services/market/MarketSettings.ts"
import type { SectorSnapshot, Sectors, SectorsError, Window } from "../../services/market/Sectors.ts"
import type { Settings } from "../../services/settings/Settings.ts"
import { StaticData } from "../../services/static-data/StaticData.ts"
import type { Store } from "../../services/store/Store.ts"
import { larder } from "../http/apiLarder.ts"
import * as Handlers from "../http/handlers.ts"
import { type Problem, problem, refuse } from "../http/problem.ts"
import { sectors } from "./apiSectors.ts"
import { withPrices } from "./marketProblems.ts"

/** JSON has no `NaN`. */
const figure = (value: number): number | null => (Number.isFinite(value) ? value : null)

const jsonOf = (snapshot: SectorSnapshot, data: StaticData["Type"], source: string) => {
  const rows = new Map(data.sectors.map((row) => [row.id, row]))
  const count = snapshot.sectors.length
  const { drivers } = snapshot
  return {
    asOf: snapshot.asOf,
    source,
    sectors: snapshot.sectors.map(({ id, returns, rotation, ...figures }) => ({
      id,
      name: rows.get(id)?.name ?? id,
      etf: rows.get(id)?.etf ?? "",
      weight: figure(figures.weight),
      returns: Object.fromEntries(Object.entries(returns).map(([name, value]) => [name, figure(value)])) as {
        readonly [W in Window]: number | null
      },
      volatility: figure(figures.volatility),
      breadth: figure(figures.breadth),
      momentum: figure(figures.momentum),
      relativeStrength: figure(figures.relativeStrength),
      quadrant: rotation.quadrant ?? null,
      rotation: { strength: figure(rotation.strength), momentum: figure(rotation.momentum) }
    })),
    correlation: Array.from({ length: count }, (_, row) =>
      Array.from(snapshot.correlation.subarray(row * count, (row + 1) * count), figure)
    ),
    drivers: { ...drivers, move: figure(drivers.move), market: figure(drivers.market) }
  }
}

const refusalOf = (error: SectorsError, data: StaticData["Type"]): Problem => {
  const { date: value, last = "" } = error
  switch (error.reason) {
    case "BadDate":
      return problem("bad-parameter", data.message("bad-date", { name: "asOf", value }))
    case "DateAhead":
      return problem("bad-parameter", data.message("date-ahead", { name: "asOf", value, last }))
    case "BeyondCalendar": {
      const { covers, id: exchange } = data.exchanges[0]!
      return problem("bad-parameter", data.message("beyond-calendar", { name: "asOf", exchange, ...covers }))
    }
    case "NoHistory":
      return problem("no-such-entry", `no prices are known of ${value}`)
  }
}

/** Seconds after which a source of prices that failed is worth another try. */
const retryAfter = 30

export const layer = Handlers.group(larder.add(sectors), "sectors", (handlers) =>
  Effect.gen(function* () {
    const data = yield* StaticData
    const settings = yield* MarketSettings
    const services = yield* Effect.context<Store | StaticData | MarketHistory | Sectors | Settings>()
    return handlers.handle("snapshot", ({ urlParams: { asOf } }) =>
      withPrices(Effect.provide(snapshotSectors(asOf), services)).pipe(
        Effect.provideService(MarketSettings, settings),
        Effect.map((snapshot) => jsonOf(snapshot, data, settings.marketSource)),
        Effect.catchTags({
          SectorsError: (error) => Effect.fail(refusalOf(error, data)),
          MarketHistoryError: (error) =>
            Effect.zipRight(
              Effect.logWarning("past prices could not be had", error),
              problem("unavailable", "the source of past prices did not answer", { retryAfter })
            ),
          StoreError: refuse
        })
      )
    )
  })
)
