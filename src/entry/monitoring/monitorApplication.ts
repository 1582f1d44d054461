import { watchThresholds } from "../../programs/monitoring/watchThresholds.ts"
import { monitorSettings } from "../../services/monitoring/MonitorSettings.ts"
import * as Application from "../Application.ts"
import { books } from "./observer.ts"

/** What all isolates did, and settings at run time. An application of its own: what it weighs is not the core's. */
export const monitorApplication = Application.make({
  name: "monitoring",
  settings: [monitorSettings],
  bindings: { METRICS: "no points in Analytics Engine" },
  under: ["/api/v1/monitor", "/api/v1/config"],
  routes: async () => (await import("./monitorRoutes.ts")).routes,
  jobs: [{ cron: "*/5 * * * *", name: "watchThresholds", run: watchThresholds }],
  layer: books
})
