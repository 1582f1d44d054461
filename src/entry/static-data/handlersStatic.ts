import * as Effect from "effect/Effect"
import { brokenCondition, evaluate } from "../../services/base/model/Preconditions.ts"
import { StaticData, staticCollection } from "../../services/static-data/StaticData.ts"
import { larder } from "../http/apiLarder.ts"
import * as Handlers from "../http/handlers.ts"
import { type Problem, problem } from "../http/problem.ts"
import { statics } from "./apiStatic.ts"

/** An answer that is valid as long as the version of its table. */
const versioned = (
  version: string,
  respond: (options: { readonly headers: Record<string, string> }) => Response
): Effect.Effect<Response, Problem, Handlers.WebRequest> =>
  Effect.flatMap(Handlers.WebRequest, (request) => {
    const tag = `"${version}"`
    const headers = { ETag: tag, "Cache-Control": "private, no-cache" }
    const asked = { ifMatch: request.headers.get("If-Match"), ifNoneMatch: request.headers.get("If-None-Match") }
    const broken = brokenCondition(asked)
    if (broken !== undefined) return Effect.fail(problem("bad-header", broken))
    const outcome = evaluate(asked, "GET", { etag: tag, modifiedAt: undefined })
    if (outcome === "failed")
      return Effect.fail(problem("condition-failed", "the table has another version than If-Match names"))
    return Effect.succeed(
      outcome === "not-modified" ? new Response(null, { status: 304, headers }) : respond({ headers })
    )
  })

export const layer = Handlers.group(larder.add(statics), "static", (handlers) =>
  Effect.map(StaticData, (data) =>
    handlers
      .handle("symbols", ({ urlParams: { exchange, sector } }) =>
        Effect.suspend(() => {
          const sectors = data.sectors.map(({ id }) => id)
          if (sector !== undefined && !sectors.includes(sector)) {
            return problem("bad-parameter", data.message("unknown-sector", { sector, sectors: sectors.join(", ") }))
          }
          const exchanges = data.exchanges.map(({ id }) => id)
          if (exchange !== undefined && !exchanges.includes(exchange)) {
            const values = { exchange, exchanges: exchanges.join(", ") }
            return problem("bad-parameter", data.message("unknown-exchange", values))
          }
          const { rows, version } = data.table("symbols")
          const symbols = rows.filter(
            (row) =>
              (sector === undefined || row.sector === sector) && (exchange === undefined || row.exchange === exchange)
          )
          return versioned(version, (options) => Response.json({ version, symbols }, options))
        })
      )
      .handle("symbol", ({ path: { symbol } }) =>
        Effect.suspend(() => {
          const row = data.symbol(symbol)
          return row === undefined
            ? problem("no-such-symbol", data.message("no-such-symbol", { symbol }))
            : versioned(data.table("symbols").version, (options) => Response.json(row, options))
        })
      )
      .handle("table", ({ path: { table } }) =>
        Effect.suspend(() => {
          const found = data.table(table)
          return found === undefined
            ? problem("no-such-table", data.message("no-such-table", { table, tables: data.tables.join(", ") }))
            : versioned(
                found.version,
                (options) =>
                  new Response(data.entry(staticCollection, table)!.value as Uint8Array<ArrayBuffer>, {
                    headers: { ...options.headers, "Content-Type": "application/json" }
                  })
              )
        })
      )
  )
)
