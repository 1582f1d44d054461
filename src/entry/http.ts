import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import { Background, type BackgroundService } from "../services/base/Background.ts"
import { Session } from "../services/base/Session.ts"
import { Budget } from "../services/budget/Budget.ts"
import { Settings } from "../services/settings/Settings.ts"
import type { Store, StoreError } from "../services/store/Store.ts"
import { api } from "./api.ts"
import * as BudgetHeader from "./budget/budgetHeader.ts"
import * as Handlers from "./handlers.ts"
import { authenticate, Caller, missing, parse } from "./http/authorize.ts"
import { fromCause, internal, Problem, problem, toResponse, wrongMethod } from "./http/problem.ts"
import { readJson } from "./http/requestBody.ts"
import { find, routesOf } from "./http/routes.ts"
import { sessionOf } from "./http/session.ts"
import { documentText } from "./openapi.ts"
import * as Entries from "./store/entries.ts"
import * as Hit from "./store/hit.ts"

type Answer = Effect.Effect<Response, Problem | StoreError>

/** Longer than any key, tags and cursor of ours can make one, even percent-encoded. */
const maxUrlCharacters = 16_384

const entryPrefix = "/api/v1/cache/"

/**
 * The door: who asks, what for, and whether they may; then the hot route, or HttpApi. Answers every request, whatever
 * goes wrong: refusals as problems, our own mistakes logged and as a bare 500.
 */
export const make: Effect.Effect<
  (request: Request, background: BackgroundService) => Promise<Response>,
  never,
  Handlers.Requirements | Store | Settings
> = Effect.gen(function* () {
  const runtime = yield* Effect.runtime<Handlers.Requirements | Store | Settings>()
  const { maxValueBytes } = yield* Settings
  const entry = yield* Entries.make
  const { keys, mistakes } = parse(yield* Effect.orElseSucceed(Config.string("API_KEYS"), () => ""))
  if (mistakes.length > 0) {
    yield* Effect.logWarning(`API_KEYS: part ${mistakes.join(", ")} is neither a key nor key=scope+scope: left out`)
  }
  const hit = yield* Hit.make(keys)
  const clock = yield* Effect.clock
  const withBudget = BudgetHeader.make(yield* Budget, () => clock.unsafeCurrentTimeMillis())
  const run = Runtime.runPromise(runtime)
  const routes = once(() => routesOf(api))
  const document = once(documentText)
  const handler = once(() => Runtime.runSync(runtime)(Handlers.make))

  const hot = (request: Request, url: URL, rest: string, slash: number): Answer => {
    const caller = authenticate(keys, request.headers.get("X-API-KEY"))
    if (caller instanceof Problem) return Effect.fail(caller)
    const refused = missing(caller, Entries.scopeOf(request.method))
    if (refused !== undefined) return Effect.fail(refused)
    return entry(request, url, rest.slice(0, slash), rest.slice(slash + 1), caller)
  }

  const control = (request: Request, url: URL, background: BackgroundService): Answer => {
    const route = find(routes(), url.pathname)
    const endpoint = route?.methods.get(request.method)
    let caller: ReadonlySet<"read" | "write" | "admin"> = new Set()
    if (endpoint?.access !== "public" && url.pathname.startsWith("/api/")) {
      const found = authenticate(keys, request.headers.get("X-API-KEY"))
      if (found instanceof Problem) return Effect.fail(found)
      caller = found
    }
    if (route === undefined) return Effect.fail(problem("no-such-route", "this is not a path of this Worker"))
    if (endpoint === undefined) return Effect.fail(wrongMethod(request, [...route.methods.keys()]))
    const refused = endpoint.access === "public" ? undefined : missing(caller, endpoint.access)
    if (refused !== undefined) return Effect.fail(refused)
    const context = Context.make(Background, background).pipe(
      Context.add(Caller, caller),
      Context.add(Session, sessionOf(request))
    )
    const answer = (checked: Request): Answer => Effect.promise(() => handler()(checked, context))
    if (!endpoint.json) return answer(request)
    return Effect.flatMap(readJson(request, maxValueBytes), (text) => {
      const body = text === "" && endpoint.json === "optional" ? "{}" : text
      const headers = new Headers(request.headers)
      headers.set("Content-Type", "application/json")
      return answer(new Request(request.url, { method: request.method, headers, body }))
    })
  }

  const described = (request: Request): Answer =>
    request.method === "GET" || request.method === "HEAD"
      ? Effect.sync(() => documentResponse(request, document()))
      : Effect.fail(wrongMethod(request, ["GET", "HEAD"]))

  const route = (request: Request, background: BackgroundService): Answer => {
    if (request.url.length > maxUrlCharacters) {
      return Effect.fail(problem("url-too-long", `a URL holds at most ${maxUrlCharacters} characters`))
    }
    const url = new URL(request.url)
    const { pathname } = url
    if (pathname.startsWith(entryPrefix)) {
      const rest = pathname.slice(entryPrefix.length)
      const slash = rest.indexOf("/")
      if (slash !== -1 && !(request.method === "POST" && rest.slice(slash) === "/batch")) {
        const context = Context.make(Background, background).pipe(Context.add(Session, sessionOf(request)))
        return Effect.provide(hot(request, url, rest, slash), context)
      }
    }
    if (pathname === "/openapi.json") return described(request)
    return control(request, url, background)
  }

  const fullPath = (request: Request, background: BackgroundService): Promise<Response> =>
    run(
      Effect.catchAllCause(
        Effect.suspend(() => route(request, background)),
        (cause) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const known = Cause.isDie(cause) ? undefined : fromCause(cause, now)
            return known === undefined
              ? Effect.as(Effect.logError("a request failed", cause), toResponse(request, internal))
              : Effect.succeed(toResponse(request, known))
          })
      )
    )

  const fastPath = (request: Request): Response | undefined => {
    try {
      return hit(request)
    } catch {
      return undefined
    }
  }

  return async (request, background) => fastPath(request) ?? withBudget(request, await fullPath(request, background))
})

const documentResponse = (request: Request, text: string): Response =>
  new Response(request.method === "HEAD" ? null : text, {
    headers: { "Content-Type": "application/json", "Cache-Control": "public, max-age=300" }
  })

const once = <A>(build: () => A): (() => A) => {
  let built: { readonly value: A } | undefined
  return () => {
    built ??= { value: build() }
    return built.value
  }
}
