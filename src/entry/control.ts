import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EffectScope from "effect/Scope"
import { Background, type BackgroundService } from "../services/base/Background.ts"
import { Session } from "../services/base/Session.ts"
import type { Routes } from "./Application.ts"
import { larder } from "./http/apiLarder.ts"
import { type ApiKey, authenticate, Caller, missing, type Scope } from "./http/authorize.ts"
import { decodedSegment, unknownParameter } from "./http/parameters.ts"
import { headersOf, internal, Problem, type ProblemBody, problem, textOf, wrongMethod } from "./http/problem.ts"
import { readJson } from "./http/requestBody.ts"
import { find, routesOf } from "./http/routes.ts"
import { sessionOf } from "./http/session.ts"

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

/** One contract of all groups. */
const composed = (routes: ReadonlyArray<Routes>): HttpApi.HttpApi.AnyWithProps =>
  routes
    .flatMap(({ api }) => Object.values((api as HttpApi.HttpApi.AnyWithProps).groups))
    .reduce((api: HttpApi.HttpApi.AnyWithProps, group) => api.add(group), larder)

/** The groups that the contract asks for come with the routes, whose types are not known here. */
const layerOf = (routes: ReadonlyArray<Routes>, api: HttpApi.HttpApi.AnyWithProps) =>
  (HttpApiBuilder.api(api) as Layer.Layer<HttpApi.Api>).pipe(
    Layer.provide(routes.reduce((all: Layer.Layer<never>, { handlers }) => Layer.merge(all, handlers), Layer.empty)),
    Layer.merge(answerFailures),
    Layer.provideMerge(Layer.mergeAll(HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer)),
    Layer.provideMerge(HttpServer.layerContext)
  )

/** The web handler of everything that HttpApi serves, built synchronously and without I/O. */
const handlerOf = (routes: ReadonlyArray<Routes>, api: HttpApi.HttpApi.AnyWithProps) =>
  Effect.gen(function* () {
    const runtime = yield* EffectScope.extend(Layer.toRuntime(layerOf(routes, api)), yield* EffectScope.make())
    return HttpApp.toWebHandlerRuntime(runtime)(yield* Effect.provide(HttpApiBuilder.httpApp, runtime))
  })

export interface Options {
  readonly keys: ReadonlyArray<ApiKey>
  /** Largest body, in bytes. */
  readonly maxValueBytes: number
}

export type Control = (request: Request, url: URL, background: BackgroundService) => Effect.Effect<Response, Problem>

/** Who asks, what for, and whether they may; then HttpApi. For every route but that of entries. */
export const make = (routes: ReadonlyArray<Routes>, { keys, maxValueBytes }: Options): Effect.Effect<Control> =>
  Effect.gen(function* () {
    const api = composed(routes)
    const table = routesOf(api)
    const handler = yield* handlerOf(routes, api)

    return (request, url, background) => {
      const route = find(table, url.pathname)
      const endpoint = route?.methods.get(request.method)
      let caller: ReadonlySet<Scope> = new Set()
      if (endpoint?.access !== "public" && url.pathname.startsWith("/api/")) {
        const found = authenticate(keys, request.headers.get("X-API-KEY"))
        if (found instanceof Problem) return Effect.fail(found)
        caller = found
      }
      if (route === undefined) return Effect.fail(problem("no-such-route", "this is not a path of this Worker"))
      if (decodedSegment(url.pathname) === undefined) {
        return Effect.fail(problem("bad-parameter", "the path holds a percent escape that is not UTF-8"))
      }
      if (endpoint === undefined) return Effect.fail(wrongMethod(request, [...route.methods.keys()]))
      const refused = endpoint.access === "public" ? undefined : missing(caller, endpoint.access)
      if (refused !== undefined) return Effect.fail(refused)
      const unknown = unknownParameter(url.searchParams, endpoint.parameters)
      if (unknown !== undefined) return Effect.fail(unknown)
      const context = Context.make(Background, background).pipe(
        Context.add(Caller, caller),
        Context.add(Session, sessionOf(request))
      )
      const answer = (checked: Request) => Effect.promise(() => handler(checked, context))
      if (!endpoint.json) return answer(request)
      return Effect.flatMap(readJson(request, maxValueBytes), (text) => {
        const body = text === "" && endpoint.json === "optional" ? "{}" : text
        const headers = new Headers(request.headers)
        headers.set("Content-Type", "application/json")
        return answer(new Request(request.url, { method: request.method, headers, body }))
      })
    }
  })
