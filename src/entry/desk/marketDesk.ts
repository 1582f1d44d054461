import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as StaticDataBundled from "../../layers/static-data/StaticDataBundled.ts"
import * as StoreStatic from "../../layers/static-data/StoreStatic.ts"
import { alertSettings } from "../../services/alerts/AlertSettings.ts"
import { deskCollections } from "../../services/desk/model/DeskCollections.ts"
import { marketSettings } from "../../services/market/MarketSettings.ts"
import { staticSettings } from "../../services/static-data/StaticSettings.ts"
import * as Application from "../Application.ts"
import type { DeskEnv, DeskLayer } from "./deskLayer.ts"

const jobs = Effect.promise(() => import("./deskJobs.ts"))

/** Quotes, sectors, sentiment, signals, alerts and reports: the first application. Over a layer that tests replace. */
export const over = (layer: (env: DeskEnv) => DeskLayer | Promise<DeskLayer>): Application.Application =>
  Application.make({
    name: "market desk",
    settings: [staticSettings, marketSettings, alertSettings],
    bindings: { AI: "a list of words reads headlines" },
    collections: deskCollections,
    front: Layer.provideMerge(StoreStatic.layer, StaticDataBundled.layer),
    under: [
      "/api/v1/data/symbols",
      "/api/v1/data/static",
      "/api/v1/quotes",
      "/api/v1/sectors",
      "/api/v1/sentiment",
      "/api/v1/signals",
      "/api/v1/reports",
      "/api/v1/alerts",
      "/api/v1/admin/cron/alerts",
      "/api/v1/admin/cron/report"
    ],
    routes: async () => (await import("./deskRoutes.ts")).routes,
    jobs: [
      {
        cron: "*/5 * * * *",
        name: "sweepStatic",
        run: Effect.flatMap(jobs, ({ sweepStatic }) => sweepStatic),
        last: true
      },
      { cron: "*/5 * * * *", name: "sweepAlerts", run: Effect.flatMap(jobs, ({ sweepAlerts }) => sweepAlerts) },
      {
        cron: "15 17-23 * * MON-FRI",
        name: "publishDailyReport",
        run: Effect.flatMap(jobs, ({ publishDailyReport }) => publishDailyReport)
      }
    ],
    layer
  })

export const marketDesk = over(async (env) => (await import("./deskLayer.ts")).layer(env))
