import * as Application from "../Application.ts"
import { books } from "./observer.ts"

/** What all isolates did, and settings at run time. An application of its own: what it weighs is not the core's. */
export const monitorApplication = Application.make({
  name: "monitoring",
  routes: async () => (await import("./monitorRoutes.ts")).routes,
  layer: books
})
