import * as Effect from "effect/Effect"
import { adviseIndexes } from "../../programs/database/adviseIndexes.ts"
import type { AdvisorError } from "../../services/database/IndexAdvisor.ts"
import { usdOf } from "../../services/database/model/DatabasePrices.ts"
import { type DatabaseError, QueryCache } from "../../services/database/QueryCache.ts"
import { larder } from "../http/apiLarder.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import { type Problem, problem } from "../http/problem.ts"
import { database } from "./apiDatabase.ts"

const fromError = (error: AdvisorError | DatabaseError): Problem => {
  switch (error.reason) {
    case "NotBound":
      return error._tag === "AdvisorError"
        ? problem("no-database", "bind the class DatabaseDurableObject as DATABASE_DO; docs/database.md says how")
        : problem("no-database", "bind a D1 database as DB in wrangler.toml; docs/files.md says how")
    case "NotMigrated":
    case "Failed":
      return problem("unavailable", "the database did not answer; the same request may be sent again", {
        retryAfter: 1
      })
  }
}

export const layer = Handlers.group(larder.add(database), "database", (handlers) =>
  handlers
    .handle("statements", () =>
      Effect.map(QueryCache, (queries) => ({
        statements: queries
          .recorded()
          .statements.map(({ example: _, writes: __, ...one }) => ({ ...one, usd: usdOf(one) }))
      }))
    )
    .handle("advice", () =>
      adviseIndexes.pipe(
        Effect.map(({ since, ...rest }) => ({ since: isoTime(since) ?? "", ...rest })),
        Effect.tapError((error) => Effect.logWarning("no advice", error.message, error.cause)),
        Effect.mapError(fromError)
      )
    )
)
