import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import { usdOf } from "../../services/database/model/DatabasePrices.ts"
import { QueryCache } from "../../services/database/QueryCache.ts"
import { larder } from "../http/apiLarder.ts"
import { database } from "./apiDatabase.ts"

export const layer = HttpApiBuilder.group(larder.add(database), "database", (handlers) =>
  handlers.handle("statements", () =>
    Effect.map(QueryCache, (queries) => ({
      statements: queries.statements().map((statement) => ({ ...statement, usd: usdOf(statement) }))
    }))
  )
)
