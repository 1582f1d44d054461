import { withHttpCache } from "../../src/entry/http-cache/withHttpCache.ts"
import { type Env, forward } from "./forward.ts"

const cached = withHttpCache<Env>(forward, { encodeBody: "manual" })

/** The cache as a proxy: `ORIGIN` with the middleware in front. */
export default {
  fetch: async (request, env, context) => {
    try {
      return await cached.fetch(request, env, context)
    } catch {
      return new Response("the origin cannot be reached\n", { status: 502 })
    }
  }
} satisfies ExportedHandler<Env>
