import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import { Background, type BackgroundService } from "../services/base/Background.ts"
import { Session } from "../services/base/Session.ts"
import { Budget } from "../services/budget/Budget.ts"
import { RateLimiter, type RateLimiterService } from "../services/limits/RateLimiter.ts"
import { Monitor } from "../services/monitoring/Monitor.ts"
import { AccessSettings } from "../services/settings/AccessSettings.ts"
import { Settings } from "../services/settings/Settings.ts"
import type { StoreError } from "../services/store/Store.ts"
import type { Running, StoreServices } from "./Application.ts"
import * as Cors from "./access/cors.ts"
import * as RateLimited from "./access/rateLimited.ts"
import * as WrongKeys from "./access/wrongKeys.ts"
import * as BudgetHeader from "./budget/budgetHeader.ts"
import type * as Control from "./control.ts"
import { authenticate, missing, parse } from "./http/authorize.ts"
import { serverTiming } from "./http/cacheHeaders.ts"
import { decodedSegment } from "./http/parameters.ts"
import { fromCause, internal, kindOf, logFailing, Problem, problem, toResponse, wrongMethod } from "./http/problem.ts"
import { prolonged } from "./http/requestBody.ts"
import { requestIdHeader, requestIdOf } from "./http/requestId.ts"
import { sessionOf } from "./http/session.ts"
import * as Entries from "./store/entries.ts"
import * as Hit from "./store/hit.ts"

type Answer = Effect.Effect<Response, Problem | StoreError>

/** Longer than a key and 128 tags of 256 ASCII characters; Cloudflare itself takes URLs of 16 KB, a batch takes the rest. */
const maxUrlCharacters = 65_536

/** Files and operations take as long as they take. */
const unhurried = /^[^/]*\/\/[^/]*\/(?:api\/v1\/(?:files|storage|admin)|s)\//

const entryPrefix = "/api/v1/cache/"
const entryRoute = `${entryPrefix}{collection}/{key}`

export interface Options {
  /** As the variable `API_KEYS` is written. */
  readonly apiKeys: string
  /** The application that serves a path, started; asked for when a request goes beyond the route of entries. */
  readonly running: (path: string) => Running | Promise<Running>
  /** Answers `/openapi.json` where static assets do not. */
  readonly openApi?: ((request: Request) => Promise<Response>) | undefined
}

/** Refusals as problems, and our own mistakes logged, and as a bare 500. */
const answered = (request: Request, answer: Answer, unauthorized: Effect.Effect<void>): Effect.Effect<Response> =>
  Effect.catchAllCause(answer, (cause) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const known = Cause.isDie(cause) ? undefined : fromCause(cause, now)
      if (known === undefined)
        return Effect.as(Effect.logError("a request failed", cause), toResponse(request, internal))
      return Effect.as(known.status === 401 ? unauthorized : failing(cause), toResponse(request, known))
    })
  )

const failing = (cause: Cause.Cause<Problem | StoreError>): Effect.Effect<void> => {
  const error = Cause.failureOption(cause)
  return error._tag === "Some" && error.value._tag === "StoreError" ? logFailing(error.value) : Effect.void
}

/** The headers of what was fetched, from static assets for one, cannot be changed. */
const identified = (request: Request, response: Response): Response => {
  const id = requestIdOf(request)
  try {
    response.headers.set(requestIdHeader, id)
    return response
  } catch {
    const copy = new Response(response.body, response)
    copy.headers.set(requestIdHeader, id)
    return copy
  }
}

/**
 * Every request enters here: one for an entry is answered at once, all others by the handlers of their contracts, which
 * are loaded when the first of them comes. Whatever goes wrong is answered, and what is logged says which request it was.
 */
export const make = ({
  apiKeys,
  openApi,
  running
}: Options): Effect.Effect<
  (request: Request, background: BackgroundService, refused?: Response) => Promise<Response>,
  never,
  StoreServices
> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime<StoreServices>()
    const { maxValueBytes } = yield* Settings
    const entry = yield* Entries.make
    const { keys, mistakes } = parse(apiKeys)
    if (mistakes.length > 0) {
      yield* Effect.logWarning(`API_KEYS: part ${mistakes.join(", ")} is neither a key nor key=scope+scope: left out`)
    }
    const { bodyDeadline, corsOrigins, requestDeadline } = yield* AccessSettings
    const cors = Cors.make(corsOrigins)
    const limiter = yield* RateLimiter
    const logWrongKey = WrongKeys.make()
    const hit = yield* Hit.make(keys)
    const clock = yield* Effect.clock
    const monitor = yield* Monitor
    const withBudget = BudgetHeader.make(yield* Budget, () => clock.unsafeCurrentTimeMillis())
    const run = Runtime.runPromise(runtime)

    const loaded = new Map<Running, Control.Control>()
    /** No request waits for another's loading: the first one builds, the others find it built. */
    const load = async (application: Running): Promise<Control.Control> => {
      const routes = await application.routes?.()
      const { make } = await import("./control.ts")
      const known = loaded.get(application)
      if (known !== undefined) return known
      const built = Runtime.runSync(runtime)(
        make(routes === undefined ? [] : [routes], { keys, body: { bytes: maxValueBytes, deadline: bodyDeadline } })
      )
      loaded.set(application, built)
      return built
    }

    const control = (request: Request, url: URL, background: BackgroundService): Answer => {
      const found = running(url.pathname)
      const known = found instanceof Promise ? undefined : loaded.get(found)
      return known === undefined
        ? Effect.flatMap(
            Effect.promise(async () => load(await found)),
            (control) => control(request, url, background)
          )
        : known(request, url, background)
    }

    const hot = (request: Request, url: URL, rest: string, slash: number): Answer => {
      const caller = authenticate(keys, request.headers.get("X-API-KEY"))
      if (caller instanceof Problem) return Effect.fail(caller)
      const refused = missing(caller, Entries.scopeOf(request.method), decodedSegment(rest.slice(0, slash)))
      if (refused !== undefined) return Effect.fail(refused)
      return entry(request, url, rest.slice(0, slash), rest.slice(slash + 1), caller)
    }

    const described = (request: Request, openApi: (request: Request) => Promise<Response>): Answer =>
      request.method === "GET" || request.method === "HEAD"
        ? Effect.map(
            Effect.promise(() => openApi(request)),
            (asset) => new Response(asset.body, asset)
          )
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
          return Effect.annotateLogs(
            answered(request, Effect.provide(hot(request, url, rest, slash), context), logWrongKey(request)),
            {
              route: entryRoute,
              collection: decodedSegment(rest.slice(0, slash)) ?? rest.slice(0, slash),
              key: decodedSegment(rest.slice(slash + 1)) ?? rest.slice(slash + 1)
            }
          )
        }
      }
      if (pathname === "/openapi.json" && openApi !== undefined) return described(request, openApi)
      return control(request, url, background)
    }

    const inTime = (request: Request, answer: Answer): Answer =>
      unhurried.test(request.url)
        ? answer
        : Effect.timeoutFail(Effect.disconnect(answer), {
            duration: prolonged(requestDeadline, request),
            onTimeout: () =>
              problem("took-too-long", "what was asked for may or may not have been done", { retryAfter: 1 })
          })

    const fullPath = (request: Request, background: BackgroundService): Promise<Response> =>
      run(
        Effect.annotateLogs(
          answered(
            request,
            Effect.suspend(() => inTime(request, route(request, background))),
            logWrongKey(request)
          ),
          { requestId: requestIdOf(request), method: request.method }
        )
      )

    const fastPath = (request: Request): Response | undefined => {
      try {
        return hit(request)
      } catch {
        return undefined
      }
    }

    type Handle = (request: Request, background: BackgroundService) => Response | Promise<Response>

    const counted = async (request: Request, answer: () => Promise<Response>): Promise<Response> => {
      const asked = clock.unsafeCurrentTimeMillis()
      const response = withBudget(request, identified(request, await answer()))
      const millis = clock.unsafeCurrentTimeMillis() - asked
      if (response.status !== 401 && !response.headers.has("Server-Timing")) {
        response.headers.set("Server-Timing", serverTiming("total", millis))
      }
      monitor.ended(request, response, millis, kindOf(response))
      return response
    }

    const handle: Handle = (request, background) => {
      const hot = fastPath(request)
      if (hot === undefined) return counted(request, () => fullPath(request, background))
      monitor.hit(request.url)
      hot.headers.set(requestIdHeader, requestIdOf(request))
      return hot
    }

    const limited = (limiter: RateLimiterService): Handle => {
      const verdictOf = RateLimited.make(limiter, keys)
      return async (request, background) => {
        const verdict = await run(verdictOf(request))
        if (verdict === undefined) return handle(request, background)
        const { headers, refusal } = RateLimited.toldOf(verdict, clock.unsafeCurrentTimeMillis())
        if (refusal !== undefined) return counted(request, async () => toResponse(request, refusal, headers))
        const response = await handle(request, background)
        for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
        return response
      }
    }

    const answer = limiter === undefined ? handle : limited(limiter)

    return async (request, background, refused) => {
      const preflight = cors.preflight(request)
      return preflight === undefined
        ? cors.allow(request, refused ?? (await answer(request, background)))
        : identified(request, preflight)
    }
  })
