import { alwaysAfresh, type Collection, define, type PolicyInput } from "../../store/model/Collection.ts"

/** The market desk's collections, as the scenario of its trading day keeps them. */
export interface TradingDayCollections {
  readonly states: Collection
  readonly throttle: Collection
  readonly prices: Collection
  readonly analyses: Collection
  readonly sentiment: Collection
  readonly sectors: Collection
  readonly signals: Collection
  readonly tracking: Collection
  readonly reports: Collection
  readonly static: Collection
}

/** What is written down once an hour at most may be five minutes old where it is read. */
const read: PolicyInput = {
  ttl: "7 days",
  memoryTtl: "5 minutes",
  edgeTtl: "5 minutes",
  negativeTtl: "1 minute",
  jitter: 0,
  packed: true
}

/** Recomputed by its next cron if it is lost, so it may wait for its flush. */
const buffered: PolicyInput = { ...read, write: "behind", flushEvery: "1 minute" }

/** Names that clients use for a symbol or a sector's fund. */
export const synonyms: { readonly [name: string]: string } = {
  apple: "AAPL",
  microsoft: "MSFT",
  nvidia: "NVDA",
  google: "GOOGL",
  amazon: "AMZN",
  technology: "XLK",
  financials: "XLF",
  energy: "XLE"
}

const symbols: PolicyInput = {
  alias: [
    { rule: "case", to: "upper" },
    { rule: "synonyms", words: synonyms }
  ]
}

const charts: PolicyInput = {
  alias: [
    ...(symbols.alias ?? []),
    { rule: "order" },
    { rule: "default", parameter: "interval", value: "1d" },
    { rule: "default", parameter: "range", value: "1mo" }
  ]
}

/** @param over takes the place of every collection's own policy where it is given */
export const collections = (over: PolicyInput = {}): TradingDayCollections => {
  const make = (name: string, policy: PolicyInput): Collection => define(name, { ...policy, ...over })
  return {
    states: make("alert-states", { ttl: "365 days", ...alwaysAfresh, packed: true }),
    throttle: make("throttle", {}),
    prices: make("market-prices", { ...buffered, ...symbols }),
    analyses: make("analyses", { ...read, ...charts }),
    sentiment: make("sentiment", { ...buffered, ...symbols }),
    sectors: make("sectors", { ...read, ...symbols }),
    signals: make("signals", { ...read, ...symbols }),
    tracking: make("signal-tracking", { ...buffered, ...symbols }),
    reports: make("daily-reports", { ...read, alias: [{ rule: "date", zone: "America/New_York" }] }),
    static: make("static", {})
  }
}
