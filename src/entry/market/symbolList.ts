import * as Effect from "effect/Effect"
import type { StaticData } from "../../services/static-data/StaticData.ts"
import { type Problem, problem } from "../http/problem.ts"

/** Symbols that one question may name: their providers are asked for each, and an invocation has 50 calls to spare. */
export const maxSymbols = 50

/** `?symbols=AAPL,msft`: tickers in upper case as the static data has them, each once, in the order asked. */
export const symbolList = (
  data: Pick<StaticData["Type"], "symbol">,
  text: string,
  most = maxSymbols
): Effect.Effect<ReadonlyArray<string>, Problem> => {
  const asked = [...new Set(text.split(",").map((name) => name.trim().toUpperCase()))]
  if (asked.includes("")) {
    return problem("bad-parameter", "symbols: tickers separated by commas, such as AAPL,MSFT, none of them empty")
  }
  if (asked.length > most) {
    return problem("bad-parameter", `symbols: at most ${most} at once, and these are ${asked.length}`)
  }
  const rows = asked.map((name) => data.symbol(name))
  const unknown = asked.filter((_, index) => rows[index] === undefined)
  return unknown.length > 0
    ? problem("no-such-symbol", `not among the symbols known here: ${unknown.map(shown).join(", ")}`)
    : Effect.succeed([...new Set(rows.flatMap((row) => row?.symbol ?? []))])
}

const shown = (name: string): string => (name.length > 20 ? `${name.slice(0, 20)}…` : name)
