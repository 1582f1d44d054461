import * as App from "./app.ts"

export default {
  fetch: (request, env, context) => App.serve(env)(request, context)
} satisfies ExportedHandler<App.Env>
