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
import { control } from "./api.ts"
import * as HandlersCache from "./handlersCache.ts"
import * as HandlersData from "./handlersData.ts"
import { headersOf, internal, type ProblemBody, problem, textOf } from "./problem.ts"

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

const misfit = ({ issues }: DecodeError, method: string): ProblemBody => {
  const listed = issues.slice(0, maxIssues)
  const place = (path: ReadonlyArray<PropertyKey>): string => path.map(String).join(".")
  if (method === "POST" || method === "PUT" || method === "PATCH") {
    return problem(
      "invalid-body",
      listed.map(({ message, path }) => `${place(path) || "body"}: ${message}`).join("; "),
      {
        errors: listed.map(({ message, path }) => ({ pointer: pointerTo(path), detail: message }))
      }
    )
  }
  return problem("bad-parameter", listed.map(({ message, path }) => `${place(path)}: ${message}`).join("; "))
}

/** RFC 6901, 6: `~` and `/` escaped, then as a URI fragment. */
const pointerTo = (path: ReadonlyArray<PropertyKey>): string =>
  `#${path.map((part) => `/${encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")}`

/** The last word on every failure inside HttpApi: a problem, and of our own mistakes nothing but that. */
const answerFailures = HttpApiBuilder.middleware((app) =>
  Effect.catchAllCause(app, (cause) =>
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
