import * as App from "./app.ts"

export { CacheDurableObject } from "./CacheDurableObject.ts"

export default {
  fetch: (request, env, context) => App.serve(env)(request, context),
  scheduled: ({ cron }, env, context) => App.ring(env)(cron, context)
} satisfies ExportedHandler<App.Env>
