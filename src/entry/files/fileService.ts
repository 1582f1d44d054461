import * as Effect from "effect/Effect"
import { fileSettings } from "../../services/files/FileSettings.ts"
import * as Application from "../Application.ts"
import type { FileEnv } from "./fileLayer.ts"

const sweep = Effect.promise(() => import("../../programs/files/sweepFiles.ts"))

/** Objects, links to them, shares and quotas: the second application. */
export const fileService = Application.make({
  name: "files",
  settings: [fileSettings],
  bindings: {
    FILES: "files answer 503",
    DB: "files answer 503",
    DATABASE_DO: "/api/v1/database/advice answers 503"
  },
  under: ["/api/v1/files", "/api/v1/storage", "/api/v1/database", "/s"],
  routes: async () => (await import("./fileRoutes.ts")).routes,
  jobs: [{ cron: "*/15 * * * *", name: "sweepFiles", run: Effect.flatMap(sweep, ({ sweepFiles }) => sweepFiles) }],
  recommendations: async () => (await import("../../services/database/model/RowsReadAdvice.ts")).adviseOnRowsRead,
  layer: async (env: FileEnv) => (await import("./fileLayer.ts")).layer(env)
})
