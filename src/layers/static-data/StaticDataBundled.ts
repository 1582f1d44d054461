import { crc32 } from "node:zlib"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { compareUtf8 } from "../../services/kv/model/KvPaging.ts"
import {
  openAt,
  sessionOn,
  type TradingSession,
  tradingDays
} from "../../services/static-data/model/TradingCalendar.ts"
import { localDate } from "../../services/static-data/model/ZonedTime.ts"
import {
  type HolidaysRow,
  StaticData,
  type StaticRows,
  type StaticTable,
  type SymbolRow,
  staticCollection,
  type TableName
} from "../../services/static-data/StaticData.ts"
import { defaultStaticBytes, StaticSettings } from "../../services/static-data/StaticSettings.ts"
import { type Entry, zeroStamp } from "../../services/store/model/Entry.ts"
import { DerivedTables } from "./internal/DerivedTables.ts"
import { exchanges, type Listed } from "./internal/exchangeTable.ts"
import { iso4217Edition } from "./internal/iso4217Table.ts"
import { currencies, errors, intervals } from "./internal/smallTables.ts"
import { sectors, symbols } from "./internal/symbolTable.ts"

type Rows = { readonly [Name in TableName]: () => ReadonlyArray<StaticRows[Name]> }

/** What tells a row of a table from the others. */
const idOf: { readonly [Name in TableName]: (row: StaticRows[Name]) => string } = {
  symbols: ({ symbol }) => symbol,
  sectors: ({ id }) => id,
  exchanges: ({ id }) => id,
  holidays: ({ id }) => id,
  intervals: ({ id }) => id,
  currencies: ({ code }) => code,
  errors: ({ id }) => id
}

const tables = Object.keys(idOf) as ReadonlyArray<TableName>

const isTable = (name: string): name is TableName => Object.hasOwn(idOf, name)

/** Editions of what others publish. */
const editions: { readonly [Name in TableName]?: string } = { currencies: iso4217Edition }

/** Names of what is derived from each table, made once. */
const slots = Object.fromEntries(
  tables.map((name) => [name, { table: `table:${name}`, index: `index:${name}`, entries: `entries:${name}` }])
) as { readonly [Name in TableName]: { readonly table: string; readonly index: string; readonly entries: string } }

/** Charged for a key and its value in a map, beside what they hold. */
const slotBytes = 100

/** Dates of one exchange whose sessions are remembered: four years of them. */
const maxSessions = 1500

const encoder = new TextEncoder()

/** @param clock milliseconds since the epoch */
export const make = (capacityBytes: number, clock: () => number): Context.Tag.Service<StaticData> => {
  const bySymbol = new Map(symbols.map((row) => [row.symbol, row]))
  const byExchange = new Map(exchanges.map((listed) => [listed.row.id, listed]))
  const messages = new Map(errors.map((row) => [row.id, row.detail]))
  const rows: Rows = {
    symbols: () => symbols,
    sectors: () => sectors,
    exchanges: () => exchanges.map(({ row }) => row),
    holidays: () => derived.get("holidays", clock(), () => exchanges.flatMap(holidaysOf), jsonBytes),
    intervals: () => intervals,
    currencies: () => currencies,
    errors: () => errors
  }
  const bundledBytes = tables.reduce((sum, name) => sum + (name === "holidays" ? 0 : jsonBytes(rows[name]())), 0)
  const derived = new DerivedTables(capacityBytes - bundledBytes)
  const reads = new Map(tables.map((name) => [name, { reads: 0, lastReadAt: null as number | null }]))
  let hits = 0
  let misses = 0

  const counted = <A>(name: TableName, found: A): A => {
    if (found === undefined) misses += 1
    else {
      hits += 1
      const count = reads.get(name)!
      count.reads += 1
      count.lastReadAt = clock()
    }
    return found
  }

  const tableOf = (name: TableName): StaticTable<StaticRows[TableName]> =>
    derived.get(
      slots[name].table,
      clock(),
      () => {
        const all = rows[name]()
        const edition = editions[name]
        const stated = edition === undefined ? {} : { edition }
        return { name, ...stated, version: crc32(JSON.stringify(all)).toString(16).padStart(8, "0"), rows: all }
      },
      () => slotBytes
    )

  const index = (name: TableName): ReadonlyMap<string, StaticRows[TableName]> =>
    derived.get(
      slots[name].index,
      clock(),
      () => new Map(rows[name]().map((row) => [(idOf[name] as (row: unknown) => string)(row), row])),
      (built) => built.size * slotBytes
    )

  const sessions = (id: string, listed: Listed) => {
    const name = `sessions:${id}`
    const known = derived.get(
      name,
      clock(),
      () => new Map<string, TradingSession | "closed" | "unknown">(),
      () => 0
    )
    return (date: string): TradingSession | "closed" | "unknown" => {
      let session = known.get(date)
      if (session === undefined) {
        session = sessionOn(listed.calendar, date)
        if (known.size < maxSessions) {
          known.set(date, session)
          derived.grow(name, slotBytes)
        }
      }
      return session
    }
  }

  /** The body of a table or a row, made once: an ETag is remembered by entry. */
  const entryOf = (name: TableName, row: string | undefined): Entry | undefined => {
    const slot = slots[name].entries
    const kept = derived.get(
      slot,
      clock(),
      () => new Map<string | undefined, Entry>(),
      () => 0
    )
    const known = kept.get(row)
    if (known !== undefined) return known
    const cell = row === undefined ? tableOf(name) : index(name).get(row)
    if (cell === undefined) return undefined
    const entry = bodyOf(cell)
    kept.set(row, entry)
    derived.grow(slot, slotBytes + entry.value.byteLength)
    return entry
  }

  const keyed = (key: string): Entry | undefined => {
    const slash = key.indexOf("/")
    const name = slash === -1 ? key : key.slice(0, slash)
    if (!isTable(name)) {
      misses += 1
      return undefined
    }
    return counted(name, entryOf(name, slash === -1 ? undefined : key.slice(slash + 1)))
  }

  const stocksBySector = (): ReadonlyMap<string, ReadonlyArray<SymbolRow>> =>
    derived.get(
      "symbols by sector",
      clock(),
      () => new Map(sectors.map(({ id }) => [id, symbols.filter((row) => row.sector === id && row.kind === "stock")])),
      () => symbols.length * slotBytes
    )

  return {
    symbols,
    sectors,
    exchanges: rows.exchanges(),
    intervals,
    currencies,
    tables,
    symbol: (name) => counted("symbols", bySymbol.get(name.toUpperCase())),
    symbolsIn: (sector) => counted("symbols", stocksBySector().get(sector)) ?? [],
    table: ((name: string) => {
      if (isTable(name)) return counted(name, tableOf(name))
      misses += 1
      return undefined
    }) as Context.Tag.Service<StaticData>["table"],
    message: (error, values) =>
      messages.get(error)!.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place)),
    session: (exchange, date) => {
      const listed = counted("exchanges", byExchange.get(exchange))
      return listed === undefined ? "unknown" : sessions(exchange, listed)(date)
    },
    isOpen: (exchange, at) => {
      const listed = counted("exchanges", byExchange.get(exchange))
      return listed && openAt(listed.calendar, sessions(exchange, listed), at)
    },
    dateAt: (exchange, at) => {
      const listed = byExchange.get(exchange)
      return listed && localDate(listed.row.zone, at)
    },
    tradingDays: (exchange, date, count) => {
      const listed = counted("exchanges", byExchange.get(exchange))
      return listed && tradingDays(sessions(exchange, listed), date, count)
    },
    entry: (collection, key) => (collection === staticCollection ? keyed(key) : undefined),
    keys: () =>
      derived.get(
        "keys",
        clock(),
        () =>
          tables.flatMap((name) => [name, ...[...index(name).keys()].map((id) => `${name}/${id}`)]).sort(compareUtf8),
        (keys) => keys.length * slotBytes
      ),
    sweep: (now) => derived.sweep(now),
    stats: () => ({
      bytes: bundledBytes + derived.bytes,
      capacityBytes,
      hits,
      misses,
      tables: [...reads].map(([name, count]) => ({ name, ...count })),
      derived: derived.list(),
      built: derived.built,
      dropped: derived.dropped
    })
  }
}

const jsonBytes = (rows: unknown): number => encoder.encode(JSON.stringify(rows)).byteLength

const bodyOf = (cell: unknown): Entry => ({
  value: encoder.encode(JSON.stringify(cell)),
  contentType: "application/json",
  tags: [],
  stamp: zeroStamp,
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0
})

const holidaysOf = ({ calendar, row }: Listed): ReadonlyArray<HolidaysRow> =>
  Array.from({ length: row.covers.to - row.covers.from + 1 }, (_, offset) => {
    const year = row.covers.from + offset
    const { closed, early, estimated = false } = calendar.year(year)!
    return {
      id: `${row.id}-${year}`,
      exchange: row.id,
      year,
      estimated,
      closed: [...closed].sort(),
      early: [...early].map(([date, close]) => ({ date, close }))
    }
  })

/** By default as large as the settings are by default. */
export const layerOf = (capacityBytes = defaultStaticBytes): Layer.Layer<StaticData> =>
  Layer.effect(
    StaticData,
    Effect.map(Effect.clock, (clock) => make(capacityBytes, () => clock.unsafeCurrentTimeMillis()))
  )

export const layer: Layer.Layer<StaticData, never, StaticSettings> = Layer.unwrapEffect(
  Effect.map(StaticSettings, ({ staticBytes }) => layerOf(staticBytes))
)
