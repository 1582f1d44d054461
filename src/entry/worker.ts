import * as App from "./app.ts"

export { CacheDurableObject } from "./CacheDurableObject.ts"

export default {
  fetch: (request, env, context) => App.serve(env)(request, context)
} satisfies ExportedHandler<App.Env>
