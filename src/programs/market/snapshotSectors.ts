import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { MarketHistory, type MarketHistoryError } from "../../services/market/MarketHistory.ts"
import {
  decode,
  encode,
  panelOf,
  panelType,
  type SectorPanel,
  type SectorPanelError,
  sectorPanels
} from "../../services/market/model/SectorPanel.ts"
import { panelDays, type SectorSnapshot, Sectors, SectorsError } from "../../services/market/Sectors.ts"
import { Settings } from "../../services/settings/Settings.ts"
import { isDate } from "../../services/static-data/model/ZonedTime.ts"
import { StaticData } from "../../services/static-data/StaticData.ts"
import { type Loaded, Store, type StoreError } from "../../services/store/Store.ts"

/** The calendar that the sectors' stocks and funds trade by. */
const exchange = "XNYS"

type Failure = SectorsError | MarketHistoryError | StoreError

/**
 * The sectors' figures at the end of a day, or of the last one that is over: one read of one packed value, which holds
 * a year of every symbol's closes, or one question to the market's history when nobody keeps it yet.
 *
 * @param asked `YYYY-MM-DD`; on a day without a session, the one before it
 */
export const snapshotSectors = (
  asked: string | undefined
): Effect.Effect<SectorSnapshot, Failure, Store | StaticData | MarketHistory | Sectors | Settings> =>
  Effect.gen(function* () {
    const data = yield* StaticData
    const sectors = yield* Sectors
    const day = yield* dayOf(data, asked, yield* Clock.currentTimeMillis)
    return sectors.snapshot(yield* panelAt(data, day))
  })

/** The day that a snapshot asked for is of: over, and with a session. `now` in milliseconds since the epoch. */
const dayOf = (
  data: Context.Tag.Service<StaticData>,
  asked: string | undefined,
  now: number
): Either.Either<string, SectorsError> => {
  const refused = (reason: SectorsError["reason"], date: string, last?: string) =>
    Either.left(new SectorsError({ operation: "snapshot", reason, date, ...(last === undefined ? {} : { last }) }))
  const today = data.dateAt(exchange, now) ?? ""
  const latest = data.tradingDays(exchange, today, 2)
  if (latest === undefined) return refused("BeyondCalendar", asked ?? today)
  const session = data.session(exchange, today)
  const last = typeof session === "object" && now < session.close ? latest[0]! : latest[1]!
  if (asked === undefined) return Either.right(last)
  if (!isDate(asked)) return refused("BadDate", asked)
  if (asked > today) return refused("DateAhead", asked, last)
  const [day] = data.tradingDays(exchange, asked, 1) ?? []
  if (day === undefined) return refused("BeyondCalendar", asked)
  return Either.right(day < last ? day : last)
}

/** The panel that ends with a day, as it is kept; one that cannot be read is made anew. */
const panelAt = (
  data: Context.Tag.Service<StaticData>,
  day: string
): Effect.Effect<SectorPanel, Failure, Store | MarketHistory | Settings> =>
  Effect.gen(function* () {
    const store = yield* Store
    const settings = yield* Settings
    const collection = settings.collections.get(sectorPanels.name) ?? sectorPanels
    const key = `${day}/${data.table("symbols").version}`
    const loaded = load(data, day)
    const panelIn = (value: Uint8Array | undefined): Effect.Effect<SectorPanel, SectorsError | SectorPanelError> =>
      value === undefined ? new SectorsError({ operation: "snapshot", reason: "NoHistory", date: day }) : decode(value)
    const kept = Effect.flatMap(store.getOrLoad(collection, key, loaded), ({ entry }) => panelIn(entry?.value))
    return yield* Effect.catchTag(kept, "SectorPanelError", (unread) =>
      Effect.logWarning(`the panel of ${day} could not be read, and is left as it is`, unread).pipe(
        Effect.zipRight(loaded),
        Effect.flatMap((made) => panelIn(Option.getOrUndefined(made)?.value)),
        Effect.catchTag("SectorPanelError", Effect.die)
      )
    )
  })

const load = (
  data: Context.Tag.Service<StaticData>,
  day: string
): Effect.Effect<Option.Option<Loaded>, MarketHistoryError, MarketHistory> =>
  Effect.gen(function* () {
    const history = yield* MarketHistory
    const sectors = data.sectors.map(({ id }) => id)
    const stocks = new Map<string, number>()
    let market = ""
    for (const { kind, sector, symbol } of data.symbols) {
      if (kind === "market") market = symbol
      if (kind === "stock" && sector !== null) stocks.set(symbol, sectors.indexOf(sector))
    }
    const closes = yield* history.closes([...stocks.keys(), market], day, panelDays)
    if (closes.days.length === 0) return Option.none()
    const panel = panelOf(closes, sectors, (symbol) => stocks.get(symbol), market)
    return Option.some({ value: encode(panel), contentType: panelType })
  })
