import * as Context from "effect/Context"
import type { Entry } from "../store/model/Entry.ts"
import type { TradingSession } from "./model/TradingCalendar.ts"

/** One of the 11 sectors of the Global Industry Classification Standard (MSCI and S&P, structure of 2023). */
export interface SectorRow {
  /** Lower case with dashes: `health-care`. */
  readonly id: string
  readonly name: string
  /** The two digits that GICS gives it. */
  readonly gics: string
  /** Symbol of the Select Sector SPDR fund that follows it. */
  readonly etf: string
}

export interface SymbolRow {
  readonly symbol: string
  readonly name: string
  /** Id of the exchange that lists it. */
  readonly exchange: string
  /** Id of its sector; null for the market as a whole. */
  readonly sector: string | null
  /** `sector`: the fund of a sector. `market`: the fund of the whole market, SPY. */
  readonly kind: "stock" | "sector" | "market"
  readonly currency: string
}

export interface ExchangeRow {
  /** ISO 10383 market identifier: `XNYS`. */
  readonly id: string
  readonly name: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  /** ISO 4217. */
  readonly currency: string
  /** IANA time zone, in which all its hours and dates are written. */
  readonly zone: string
  /** The usual hours of continuous trading, `HH:MM`. */
  readonly open: string
  readonly close: string
  readonly pause: { readonly from: string; readonly to: string } | null
  /**
   * First and last year of the calendar; of others it says nothing. What lies behind `announcedTo` follows the usual
   * rule of holidays, and is marked as estimated.
   */
  readonly covers: { readonly from: number; readonly to: number; readonly announcedTo: number }
}

/** One exchange's days without a session, and those with a short one, in one year. */
export interface HolidaysRow {
  /** `XNYS-2026`. */
  readonly id: string
  readonly exchange: string
  readonly year: number
  /** Whether the exchange has not announced them: they are those of the usual rule. */
  readonly estimated: boolean
  readonly closed: ReadonlyArray<string>
  readonly early: ReadonlyArray<{ readonly date: string; readonly close: string }>
}

/** The width of a bar of a price chart. */
export interface IntervalRow {
  /** As chart services write it: `5m`, `1d`, `1wk`, `1mo`. */
  readonly id: string
  readonly name: string
  /** Null where it depends on the calendar: months and more. */
  readonly seconds: number | null
  readonly intraday: boolean
}

/** ISO 4217. */
export interface CurrencyRow {
  readonly code: string
  readonly number: string
  readonly name: string
  /** Digits behind the point that its minor unit has. */
  readonly digits: number
  /** The date (`YYYY-MM-DD`) from which it is no currency any more; null for one that is. */
  readonly withdrawn: string | null
}

/** What a refusal says, `{name}` standing for a value that is filled in. */
export interface ErrorRow {
  readonly id: string
  readonly status: number
  readonly title: string
  readonly detail: string
}

export interface StaticRows {
  readonly symbols: SymbolRow
  readonly sectors: SectorRow
  readonly exchanges: ExchangeRow
  readonly holidays: HolidaysRow
  readonly intervals: IntervalRow
  readonly currencies: CurrencyRow
  readonly errors: ErrorRow
}

export type TableName = keyof StaticRows

/** A whole table. */
export interface StaticTable<Row> {
  readonly name: string
  /** Which edition of the list it is, where somebody publishes one: of ISO 4217, the date. */
  readonly edition?: string
  /** Changes with every change of what it holds, and only then: an ETag. */
  readonly version: string
  readonly rows: ReadonlyArray<Row>
}

export interface StaticStats {
  /** Bytes of the tables as JSON, and of what is derived from them. Never above `capacityBytes`. */
  readonly bytes: number
  readonly capacityBytes: number
  /** Reads answered, and those of a table or row that does not exist. */
  readonly hits: number
  readonly misses: number
  readonly tables: ReadonlyArray<{ readonly name: string; readonly reads: number; readonly lastReadAt: number | null }>
  /** What is derived at present. `lastReadAt` in milliseconds since the epoch, as above. */
  readonly derived: ReadonlyArray<{ readonly name: string; readonly bytes: number; readonly lastReadAt: number }>
  /** Derived tables made so far, and those dropped because nobody asked or there was no room. */
  readonly built: number
  readonly dropped: number
}

/**
 * What does not change between deployments, in isolate memory: no operation of any tier. Synchronous. Indexes and
 * encodings are derived when first asked for, and dropped when nobody has asked for five minutes.
 */
export class StaticData extends Context.Tag("larder/StaticData")<
  StaticData,
  {
    readonly symbols: ReadonlyArray<SymbolRow>
    readonly sectors: ReadonlyArray<SectorRow>
    readonly exchanges: ReadonlyArray<ExchangeRow>
    readonly intervals: ReadonlyArray<IntervalRow>
    readonly currencies: ReadonlyArray<CurrencyRow>
    /** Names of all tables. */
    readonly tables: ReadonlyArray<TableName>
    /** By its ticker, in any case: `aapl`, `BRK.B`. */
    readonly symbol: (name: string) => SymbolRow | undefined
    /** The stocks of a sector, its fund not among them; none for what is no sector. */
    readonly symbolsIn: (sector: string) => ReadonlyArray<SymbolRow>
    readonly table: {
      <Name extends TableName>(name: Name): StaticTable<StaticRows[Name]>
      (name: string): StaticTable<StaticRows[TableName]> | undefined
    }
    /** The text of an error of the table `errors`, its places filled in. Throws for one that is not there. */
    readonly message: (error: string, values: Readonly<Record<string, string | number>>) => string
    /**
     * The session of a date (`YYYY-MM-DD` in the exchange's zone). `unknown` for an exchange that is not in the table,
     * a year beyond its calendar, or what is no date.
     */
    readonly session: (exchange: string, date: string) => TradingSession | "closed" | "unknown"
    /** Whether it trades at a moment (milliseconds since the epoch); undefined where {@link session} is `unknown`. */
    readonly isOpen: (exchange: string, at: number) => boolean | undefined
    /** The date at the exchange at a moment (milliseconds since the epoch); undefined for an unknown exchange. */
    readonly dateAt: (exchange: string, at: number) => string | undefined
    /**
     * The last `count` dates with a session up to and with `date`, oldest first; undefined where the calendar does not
     * reach back, or ahead, so far.
     */
    readonly tradingDays: (exchange: string, date: string, count: number) => ReadonlyArray<string> | undefined
    /** A table or a row as a store keeps it: keys `{table}` and `{table}/{row}` of the collection `static`. */
    readonly entry: (collection: string, key: string) => Entry | undefined
    /** Keys of the collection `static` in UTF-8 byte order. */
    readonly keys: () => ReadonlyArray<string>
    /** Drops what was derived and not asked for in the five minutes before `now` (milliseconds since the epoch). */
    readonly sweep: (now: number) => number
    readonly stats: () => StaticStats
  }
>() {}

/** Name of the collection under which stores answer static data. */
export const staticCollection = "static"
