import type * as HttpApp from "@effect/platform/HttpApp"
import type { RequestError } from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { answerRequest } from "../../programs/http-cache/answerRequest.ts"
import { Origin, OriginError } from "../../services/http-cache/Origin.ts"
import { type HttpCacheOptions, make } from "./httpCache.ts"

/**
 * The same cache in front of an Effect `HttpApp`: `HttpRouter.toHttpApp(...)`, or what `HttpApiBuilder` gives. What the
 * app fails with, it still fails with, unless a stored response may stand in. Applied once, outside the requests. There
 * is no `env` here: `purges` is called without one.
 */
export const cachedApp = (options: HttpCacheOptions = {}) => {
  const cache = make(options)
  cache.meet(undefined)
  return <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E | RequestError, R> =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.toWeb(yield* HttpServerRequest.HttpServerRequest)
      const held = cache.hit(request, yield* Effect.clockWith((clock) => clock.currentTimeMillis))
      if (held !== undefined) return HttpServerResponse.fromWeb(held)
      const runtime = yield* Effect.runtime<R>()
      const origin = {
        fetch: (asked: Request) =>
          app.pipe(
            Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(asked)),
            Effect.map((response) =>
              HttpServerResponse.toWeb(response, { withoutBody: asked.method === "HEAD", runtime })
            ),
            Effect.mapError((cause) => new OriginError({ operation: "fetch", reason: "Unreachable", cause })),
            Effect.provide(runtime)
          )
      }
      const response = yield* answerRequest(request).pipe(
        Effect.provideService(Origin, origin),
        Effect.provide(cache.services),
        // The one origin of this request fails with what the app failed with.
        Effect.mapError(({ cause }) => cause as E)
      )
      return HttpServerResponse.fromWeb(response)
    })
}
