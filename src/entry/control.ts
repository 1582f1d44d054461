import type * as HttpApi from "@effect/platform/HttpApi"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Background, type BackgroundService } from "../services/base/Background.ts"
import { Session } from "../services/base/Session.ts"
import type { Routes } from "./Application.ts"
import { larder } from "./http/apiLarder.ts"
import { type ApiKey, authenticate, Caller, type Grant, missing, nobody } from "./http/authorize.ts"
import { type Handled, handledOf, Misfits, WebRequest } from "./http/handlers.ts"
import { decodedSegment, unknownParameter } from "./http/parameters.ts"
import { internal, Problem, type ProblemBody, problem, toResponse, wrongMethod } from "./http/problem.ts"
import { type BodyLimits, readJson } from "./http/requestBody.ts"
import { find, parametersOf, type Route, routesOf } from "./http/routes.ts"
import { sessionOf } from "./http/session.ts"

/** What a refused request is answered; undefined for our own mistakes. */
const problemOf = (error: unknown, ofBody: boolean): ProblemBody | undefined =>
  error instanceof Problem ? error : error instanceof Misfits ? misfit(error, ofBody) : undefined

/** The most misfits that one refusal lists. */
const maxIssues = 20

/** Characters of one misfit; the parser quotes what it met, however long. */
const maxMessage = 300

const misfit = ({ issues }: Misfits, ofBody: boolean): ProblemBody => {
  const misfits = issues.slice(0, maxIssues).map(({ message, path }) => ({
    place: path.map(String).join("."),
    pointer: pointerTo(path),
    detail: message.length > maxMessage ? `${message.slice(0, maxMessage)} …` : message
  }))
  const detail = misfits.map(({ detail, place }) => `${place || "body"}: ${detail}`).join("; ")
  return ofBody
    ? problem("invalid-body", detail, { errors: misfits.map(({ detail, pointer }) => ({ pointer, detail })) })
    : problem("bad-parameter", detail)
}

/** RFC 6901, 6: `~` and `/` escaped, then as a URI fragment. */
const pointerTo = (path: ReadonlyArray<PropertyKey>): string =>
  `#${path.map((part) => `/${encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")}`

/** What these routes answer is of the moment, and for who asked, unless it says otherwise. */
const answerHeaders = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" }

/** The last word on every answer: HEAD has no body, and what failed is a problem, or of our own mistakes a bare 500. */
const answered = <R>(
  request: Request,
  /** Whether it takes JSON, so that what does not fit is of its body. */
  json: boolean,
  answer: Effect.Effect<Response, unknown, R>
): Effect.Effect<Response, never, R> =>
  Effect.matchCauseEffect(answer, {
    onSuccess: (response) => Effect.promise(() => finished(request, response)),
    onFailure: (cause) => {
      const known = problemOf(Cause.squash(cause), json)
      const response = toResponse(request, known ?? internal)
      return known === undefined
        ? Effect.as(Effect.logError("a request failed", cause), response)
        : Effect.succeed(response)
    }
  })

const finished = async (request: Request, response: Response): Promise<Response> => {
  for (const [name, value] of Object.entries(answerHeaders)) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  if (request.method !== "HEAD" || response.body === null) return response
  const { headers, status } = response
  if (headers.get("Content-Type") === "text/event-stream") await response.body.cancel()
  else headers.set("Content-Length", String((await response.arrayBuffer()).byteLength))
  return new Response(null, { status, headers })
}

/** One contract of all groups. */
const composed = (routes: ReadonlyArray<Routes>): HttpApi.HttpApi.AnyWithProps =>
  routes
    .flatMap(({ api }) => Object.values((api as HttpApi.HttpApi.AnyWithProps).groups))
    .reduce((api: HttpApi.HttpApi.AnyWithProps, group) => api.add(group), larder)

/** The collection that a path names: a key may be for some of them only. */
const collectionOf = (route: Route, path: string): string | undefined =>
  route.names.includes("collection") ? parametersOf(route, path).collection : undefined

/** What the log may know of a path: the token of a shared file is a secret. */
const named = ({ collection, key }: Readonly<Record<string, string>>) => ({
  ...(collection === undefined ? {} : { collection }),
  ...(key === undefined ? {} : { key })
})

const nameOf = (method: string, path: string): string => `${method} ${path}`

/** The handlers of all groups by method and path, built synchronously and without I/O. */
const handlersOf = (routes: ReadonlyArray<Routes>): Effect.Effect<ReadonlyMap<string, Handled>> =>
  Effect.gen(function* () {
    const layer = routes.reduce((all: Layer.Layer<never>, { handlers }) => Layer.merge(all, handlers), Layer.empty)
    const context = yield* Layer.buildWithScope(layer, yield* Scope.make())
    return new Map(handledOf(context).map((handled) => [nameOf(handled.method, handled.path), handled]))
  })

export interface Options {
  readonly keys: ReadonlyArray<ApiKey>
  readonly body: BodyLimits
}

export type Control = (request: Request, url: URL, background: BackgroundService) => Effect.Effect<Response, Problem>

/** Who asks, what for, and whether they may; then its handler. For every route but that of entries. */
export const make = (routes: ReadonlyArray<Routes>, { body, keys }: Options): Effect.Effect<Control> =>
  Effect.gen(function* () {
    const api = composed(routes)
    const table = routesOf(api)
    const handlers = yield* handlersOf(routes)

    return (request, url, background) => {
      const route = find(table, url.pathname)
      const endpoint = route?.methods.get(request.method)
      let caller: Grant = nobody
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
      const refused =
        endpoint.access === "public" ? undefined : missing(caller, endpoint.access, collectionOf(route, url.pathname))
      if (refused !== undefined) return Effect.fail(refused)
      const unknown = unknownParameter(url.searchParams, endpoint.parameters)
      if (unknown !== undefined) return Effect.fail(unknown)
      const handled = handlers.get(nameOf(endpoint.method, route.declared))
      if (handled === undefined) return Effect.die(new Error(`${request.method} ${route.path} has no handler`))
      const context = Context.make(Background, background).pipe(
        Context.add(Caller, caller),
        Context.add(Session, sessionOf(request)),
        Context.add(WebRequest, request)
      )
      const parameters = parametersOf(route, url.pathname)
      const answer = (checked: Request): Effect.Effect<Response> =>
        Effect.annotateLogs(
          answered(
            request,
            endpoint.json !== false,
            Effect.provide(handled.answer(checked, parameters, url), context)
          ) as Effect.Effect<Response>,
          { route: route.path, ...named(parameters) }
        )
      if (!endpoint.json) return answer(request)
      return Effect.flatMap(readJson(request, body), (text) => {
        const json = text === "" && endpoint.json === "optional" ? "{}" : text
        const headers = new Headers(request.headers)
        headers.set("Content-Type", "application/json")
        return answer(new Request(request.url, { method: request.method, headers, body: json }))
      })
    }
  })
