import * as Effect from "effect/Effect"
import * as Application from "./Application.ts"

const jobs = Effect.promise(() => import("./cacheJobs.ts"))

/** The cache itself, the ledger and the operations: what every Larder serves. */
export const cacheApplication = Application.make({
  name: "cache",
  under: ["/api/v1/cache", "/api/v1/ledger", "/api/v1/data", "/api/v1/admin"],
  routes: async () => (await import("./cacheRoutes.ts")).routes,
  jobs: [
    { cron: "*/5 * * * *", name: "migrateOnFlagChange", run: Effect.flatMap(jobs, ({ followFlag }) => followFlag) },
    {
      cron: "*/5 * * * *",
      name: "flushBuffered",
      run: Effect.flatMap(jobs, ({ flushBuffered }) => flushBuffered),
      last: true
    },
    { cron: "*/15 * * * *", name: "prefetchCycle", run: Effect.flatMap(jobs, ({ prefetchCycle }) => prefetchCycle) }
  ]
})
