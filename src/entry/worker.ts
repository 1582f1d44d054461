import type { Env } from "./app.ts"
import * as Isolates from "./isolates.ts"

export { CacheDurableObject } from "./CacheDurableObject.ts"

export default {
  fetch: (request, env, context) => Isolates.serve(env)(request, context),
  scheduled: ({ cron }, env, context) => Isolates.ring(env)(cron, context)
} satisfies ExportedHandler<Env>
