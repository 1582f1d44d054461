import * as Effect from "effect/Effect"
import * as Application from "./Application.ts"

const jobs = Effect.promise(() => import("./cacheJobs.ts"))

/** The cache itself, the ledger and the operations: what every Larder serves. */
export const cacheApplication = Application.make({
  name: "cache",
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
