import * as Effect from "effect/Effect"
import { flushBuffered } from "../programs/batching/flushBuffered.ts"
import { migrateOnFlagChange } from "../programs/migration/migrateOnFlagChange.ts"
import { prefetchCycle } from "../programs/prefetch/prefetchCycle.ts"
import { sweepStatic } from "../programs/static-data/sweepStatic.ts"
import * as Application from "./Application.ts"
import { routes } from "./cacheRoutes.ts"

const followFlag = Effect.tap(migrateOnFlagChange, (done) =>
  done === undefined ? Effect.void : Effect.logInfo("the store of the mode in force was brought up to date", done)
)

/** The cache itself, the ledger and the operations: what every Larder serves. */
export const cacheApplication = Application.make({
  name: "cache",
  routes: async () => routes,
  jobs: [
    { cron: "*/5 * * * *", name: "migrateOnFlagChange", run: followFlag },
    { cron: "*/5 * * * *", name: "sweepStatic", run: sweepStatic, last: true },
    { cron: "*/5 * * * *", name: "flushBuffered", run: flushBuffered, last: true },
    { cron: "*/15 * * * *", name: "prefetchCycle", run: prefetchCycle }
  ]
})
