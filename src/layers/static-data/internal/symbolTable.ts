import type { SectorRow, SymbolRow } from "../../../services/static-data/StaticData.ts"

/** Sectors of GICS, each with its fund and well-known stocks: `ticker exchange name`, exchanges by their first letter. */
const listed: ReadonlyArray<readonly [gics: string, id: string, name: string, etf: string, stocks: string]> = [
  [
    "10",
    "energy",
    "Energy",
    "XLE",
    "XOM N Exxon Mobil;CVX N Chevron;COP N ConocoPhillips;SLB N SLB;EOG N EOG Resources"
  ],
  ["15", "materials", "Materials", "XLB", "LIN Q Linde;SHW N Sherwin-Williams;FCX N Freeport-McMoRan;NEM N Newmont"],
  [
    "20",
    "industrials",
    "Industrials",
    "XLI",
    "GE N GE Aerospace;CAT N Caterpillar;BA N Boeing;UNP N Union Pacific;UPS N United Parcel Service"
  ],
  [
    "25",
    "consumer-discretionary",
    "Consumer Discretionary",
    "XLY",
    "AMZN Q Amazon.com;TSLA Q Tesla;HD N Home Depot;MCD N McDonald's;NKE N Nike;SBUX Q Starbucks"
  ],
  [
    "30",
    "consumer-staples",
    "Consumer Staples",
    "XLP",
    "WMT Q Walmart;COST Q Costco Wholesale;PG N Procter & Gamble;KO N Coca-Cola;PEP Q PepsiCo"
  ],
  [
    "35",
    "health-care",
    "Health Care",
    "XLV",
    "LLY N Eli Lilly;JNJ N Johnson & Johnson;ABBV N AbbVie;UNH N UnitedHealth Group;MRK N Merck;PFE N Pfizer"
  ],
  [
    "40",
    "financials",
    "Financials",
    "XLF",
    "BRK.B N Berkshire Hathaway;JPM N JPMorgan Chase;V N Visa;MA N Mastercard;BAC N Bank of America;GS N Goldman Sachs;AXP N American Express"
  ],
  [
    "45",
    "information-technology",
    "Information Technology",
    "XLK",
    "AAPL Q Apple;MSFT Q Microsoft;NVDA Q Nvidia;AVGO Q Broadcom;ORCL N Oracle;CRM N Salesforce;AMD Q Advanced Micro Devices;ADBE Q Adobe"
  ],
  [
    "50",
    "communication-services",
    "Communication Services",
    "XLC",
    "GOOGL Q Alphabet;META Q Meta Platforms;NFLX Q Netflix;DIS N Walt Disney;TMUS Q T-Mobile US;VZ N Verizon Communications"
  ],
  [
    "55",
    "utilities",
    "Utilities",
    "XLU",
    "NEE N NextEra Energy;SO N Southern Company;DUK N Duke Energy;AEP Q American Electric Power"
  ],
  [
    "60",
    "real-estate",
    "Real Estate",
    "XLRE",
    "PLD N Prologis;AMT N American Tower;EQIX Q Equinix;SPG N Simon Property Group"
  ]
]

export const sectors: ReadonlyArray<SectorRow> = listed.map(([gics, id, name, etf]) => ({ id, name, gics, etf }))

const exchanges: Readonly<Record<string, string>> = { N: "XNYS", Q: "XNAS" }

const stocksOf = (sector: string, text: string): ReadonlyArray<SymbolRow> =>
  text.split(";").map((stock) => {
    const [symbol, exchange, ...name] = stock.split(" ")
    return {
      symbol: symbol!,
      name: name.join(" "),
      exchange: exchanges[exchange!]!,
      sector,
      kind: "stock",
      currency: "USD"
    }
  })

const fund = (symbol: string, name: string, sector: string | null): SymbolRow => ({
  symbol,
  name,
  exchange: "ARCX",
  sector,
  kind: sector === null ? "market" : "sector",
  currency: "USD"
})

/** 60 stocks, the 11 sector funds, and the market. */
export const symbols: ReadonlyArray<SymbolRow> = [
  ...listed.flatMap(([, sector, , , stocks]) => stocksOf(sector, stocks)),
  ...sectors.map(({ etf, id, name }) => fund(etf, `${name} Select Sector SPDR Fund`, id)),
  fund("SPY", "SPDR S&P 500 ETF Trust", null)
]
