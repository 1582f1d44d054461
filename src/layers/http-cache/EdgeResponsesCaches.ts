import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { EdgeResponses, EdgeResponsesError } from "../../services/http-cache/EdgeResponses.ts"
import { complete } from "./internal/complete.ts"

/** Beyond this a URL is no name that every tier takes. */
const longestUrl = 8000

/**
 * The Cache API of the location that runs this Worker, under a host name of our own. No effect on workers.dev and in
 * previews: there every match is a miss.
 */
export const make = (cache: () => Promise<Cache> | Cache, host: string): Context.Tag.Service<EdgeResponses> => {
  const urlOf = (id: string): string => `https://${host}/${encodeURIComponent(id)}`
  return {
    match: (id) =>
      Effect.tryPromise({
        try: async () => {
          const url = urlOf(id)
          if (url.length > longestUrl) return Option.none()
          const found = await (await cache()).match(url)
          return Option.fromNullable(found?.body)
        },
        catch: (cause) => new EdgeResponsesError({ operation: "match", reason: "Unavailable", cause })
      }),
    put: (id, bytes, { size, until }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const seconds = Math.floor((until - now) / 1000)
        const url = urlOf(id)
        if (seconds < 1 || url.length > longestUrl) return Effect.void
        return Effect.tryPromise({
          try: async () => {
            const [body, ended] = bytes instanceof Uint8Array ? [bytes, Promise.resolve()] : complete(bytes, size)
            const headers = {
              "Cache-Control": `public, max-age=${seconds}`,
              "Content-Type": "application/octet-stream"
            }
            const put = (await cache()).put(url, new Response(body, { headers }))
            await Promise.all([ended, put])
          },
          catch: (cause) => new EdgeResponsesError({ operation: "put", reason: "Incomplete", cause })
        })
      }),
    enabled: true
  }
}

export const layer = (host: string): Layer.Layer<EdgeResponses> =>
  Layer.sync(EdgeResponses, () => make(() => caches.default, host))
