import { Hono } from "hono"
import { rateLimiter } from "hono-rate-limiter"
import { honoStore } from "../../src/entry/limits/limits.ts"
import { cached, withLarder } from "../../src/entry/package/larder.ts"

// A Hono app: answers of a slow source are kept for five minutes, and each client may ask 30 times a minute.

export interface Env {
  readonly KV: KVNamespace
  /** Counts exactly where it is bound; without it each isolate counts for itself. */
  readonly CACHE_DO?: DurableObjectNamespace
}

/** Your source. */
const populationOf = async (city: string): Promise<{ readonly city: string; readonly length: number }> => ({
  city,
  length: city.length
})

const app = new Hono<{ Bindings: Env }>()

app.use("*", (context, next) =>
  rateLimiter<{ Bindings: Env }>({
    windowMs: 60_000,
    limit: 30,
    keyGenerator: () => context.req.header("CF-Connecting-IP") ?? "unknown",
    store: honoStore(context.env.CACHE_DO ?? context.env.KV) as never
  })(context, next)
)

app.get("/cities/:city", async (context) => {
  const city = context.req.param("city")
  if (!/^[a-z -]{1,60}$/i.test(city)) return context.json({ error: "a city is 1 to 60 letters" }, 400)
  const policy = { ttl: 300, staleFor: 60, graceFor: 3600 }
  const found = await cached(context.env.KV, context.executionCtx, `city:${city}`, () => populationOf(city), policy)
  return context.json(found)
})

app.onError((error, context) => {
  console.error("a request failed", error)
  return context.json({ error: "not now" }, 503)
})

export default withLarder({ fetch: app.fetch } satisfies ExportedHandler<Env>)
