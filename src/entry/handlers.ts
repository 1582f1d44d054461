import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as HandlersAdmin from "./admin/handlersAdmin.ts"
import * as HandlersAlerts from "./alerts/handlersAlerts.ts"
import { control } from "./api.ts"
import { headersOf, internal, type ProblemBody, problem, textOf } from "./http/problem.ts"
import * as HandlersMarket from "./market/handlersMarket.ts"
import * as HandlersSectors from "./market/handlersSectors.ts"
import * as HandlersData from "./monitoring/handlersData.ts"
import * as HandlersStatic from "./static-data/handlersStatic.ts"
import * as HandlersCache from "./store/handlersCache.ts"

/** What a refused or failed request is answered, whatever HttpApi calls it; undefined for our own mistakes. */
const problemOf = (error: unknown, method: string): ProblemBody | undefined => {
  if (typeof error !== "object" || error === null || !("_tag" in error)) return undefined
  const failure = error as { readonly _tag: string; readonly reason?: string }
  switch (failure._tag) {
    case "Problem":
      return error as unknown as ProblemBody
    case "HttpApiDecodeError":
      return misfit(error as unknown as DecodeError, method)
    case "RequestError":
      return failure.reason === "Decode" ? problem("bad-json", "the body is not JSON in UTF-8") : undefined
    case "RouteNotFound":
      return problem("no-such-route", "this is not a path of this Worker")
    default:
      return undefined
  }
}

interface DecodeError {
  readonly issues: ReadonlyArray<{ readonly path: ReadonlyArray<PropertyKey>; readonly message: string }>
}

/** The most misfits that one refusal lists. */
const maxIssues = 20

/** Characters of one misfit; the parser quotes what it met, however long. */
const maxMessage = 300

const misfit = ({ issues }: DecodeError, method: string): ProblemBody => {
  const misfits = issues.slice(0, maxIssues).map(({ message, path }) => ({
    place: path.map(String).join("."),
    pointer: pointerTo(path),
    detail: message.length > maxMessage ? `${message.slice(0, maxMessage)} …` : message
  }))
  const detail = misfits.map(({ detail, place }) => `${place || "body"}: ${detail}`).join("; ")
  return method === "POST" || method === "PUT" || method === "PATCH"
    ? problem("invalid-body", detail, { errors: misfits.map(({ detail, pointer }) => ({ pointer, detail })) })
    : problem("bad-parameter", detail)
}

/** RFC 6901, 6: `~` and `/` escaped, then as a URI fragment. */
const pointerTo = (path: ReadonlyArray<PropertyKey>): string =>
  `#${path.map((part) => `/${encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")}`

/** What HttpApi serves is of the moment, and for who asked, unless it says otherwise. */
const answerHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" }

/** The last word on every failure inside HttpApi: a problem, and of our own mistakes nothing but that. */
const answerFailures = HttpApiBuilder.middleware((app) =>
  Effect.catchAllCause(
    Effect.map(app, (response) => HttpServerResponse.setHeaders(response, { ...answerHeaders, ...response.headers })),
    (cause) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const known = problemOf(Cause.squash(cause), request.method)
        const body = known ?? internal
        const response = HttpServerResponse.text(textOf(body, request.url.split("?")[0] ?? "/"), {
          status: body.status,
          headers: headersOf(body)
        })
        return known === undefined
          ? Effect.as(Effect.logError("a request failed", cause), response)
          : Effect.succeed(response)
      })
  )
)

const layer = HttpApiBuilder.api(control).pipe(
  Layer.provide(HandlersCache.layer),
  Layer.provide(HandlersData.layer),
  Layer.provide(HandlersStatic.layer),
  Layer.provide(HandlersSectors.layer),
  Layer.provide(HandlersMarket.layer),
  Layer.provide(HandlersAlerts.layer),
  Layer.provide(HandlersAdmin.layer),
  Layer.merge(answerFailures),
  Layer.provideMerge(Layer.mergeAll(HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer)),
  Layer.provideMerge(HttpServer.layerContext)
)

export type Requirements = Layer.Layer.Context<typeof layer>

export type Handler = (request: Request, context: Context.Context<never>) => Promise<Response>

/** The web handler of everything HttpApi serves, built at once and without I/O: once per isolate, when first needed. */
export const make: Effect.Effect<Handler, never, Requirements> = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const runtime = yield* Scope.extend(Layer.toRuntime(layer), scope)
  return HttpApp.toWebHandlerRuntime(runtime)(yield* Effect.provide(HttpApiBuilder.httpApp, runtime))
})
