import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { resetsAt } from "../../services/budget/model/BudgetRules.ts"
import type { StoreError } from "../../services/store/Store.ts"
import { requestIdHeader, requestIdOf } from "./requestId.ts"

/** Everything that can go wrong, by the last segment of its `type`: the status and the title it always has. */
export const kinds = {
  "bad-key": [400, "This cannot be a key"],
  "bad-parameter": [400, "A parameter is not valid"],
  "bad-header": [400, "A header is not valid"],
  "bad-json": [400, "The body is not JSON"],
  "incomplete-body": [400, "The body ended early"],
  unauthorized: [401, "A valid API key is needed"],
  forbidden: [403, "The API key lacks a scope"],
  "forbidden-origin": [403, "Pages of this origin may not call the API"],
  "application-collection": [403, "The collection belongs to an application"],
  "no-such-alert": [404, "There is no such alert"],
  "no-such-dead-letter": [404, "There is no such dead letter"],
  "no-such-entry": [404, "There is no such entry"],
  "no-such-collection": [404, "There is no such collection"],
  "no-such-file": [404, "There is no such file"],
  "no-such-upload": [404, "There is no such upload"],
  "no-such-share": [404, "The link leads nowhere"],
  "no-such-user": [404, "There is no such API key"],
  "no-such-route": [404, "There is nothing here"],
  "no-such-report": [404, "There is no report of that day"],
  "no-such-symbol": [404, "There is no such symbol"],
  "no-such-table": [404, "There is no such table"],
  "method-not-allowed": [405, "The method does not apply here"],
  "read-only": [405, "The collection cannot be changed"],
  "request-timeout": [408, "The body did not arrive in time"],
  "key-in-use": [409, "The API key has files of its own"],
  "too-many-alerts": [409, "There are as many alerts as there may be"],
  "no-durable-objects": [409, "This Worker has no Durable Objects"],
  "reshard-under-way": [409, "Keys are moving to another number of objects"],
  "incomplete-upload": [409, "Parts of the upload are missing"],
  "condition-failed": [412, "A condition of the request does not hold"],
  "too-large": [413, "The body is too large"],
  "too-many-keys": [413, "The batch names too many keys"],
  "url-too-long": [414, "The URL is too long"],
  "range-not-satisfiable": [416, "The range lies outside of the file"],
  "unsupported-media-type": [415, "The body has the wrong type"],
  "needs-durable-mode": [422, "KV cannot judge the condition of a write"],
  "invalid-body": [422, "The body does not have the right shape"],
  "too-many-requests": [429, "The API key has asked too often"],
  "rate-limited": [429, "Too many writes at once"],
  "over-quota": [429, "The quota is used up"],
  "daily-limit": [429, "The allowance of the day is spent"],
  undecodable: [500, "A stored value cannot be read"],
  misconfigured: [500, "This Worker is not configured"],
  internal: [500, "Something went wrong here"],
  "webhook-failed": [502, "The webhook was not taken"],
  unavailable: [503, "No tier could answer"],
  "not-stored": [503, "No store took the write"],
  "shard-full": [507, "The objects have no room for it"],
  "took-too-long": [503, "The answer took too long"],
  "no-market-source": [503, "This Worker has no source of prices"],
  "no-bucket": [503, "This Worker has no bucket for files"],
  "no-database": [503, "This Worker has no database for files"],
  "no-link-credentials": [503, "This Worker cannot sign links"],
  "no-api-key-configured": [503, "This Worker has no API keys"]
} as const satisfies { readonly [slug: string]: readonly [status: number, title: string] }

export type Kind = keyof typeof kinds

/** Where in the request a value was wrong: `pointer` is a JSON pointer into the body, as a fragment (RFC 6901, 6). */
export interface ProblemIssue {
  readonly pointer: string
  readonly detail: string
}

/** The members of RFC 9457, and ours behind them. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** The path that was asked for. */
  readonly instance?: string
  /** What the request is called in the log, as in the header `X-Request-Id`. */
  readonly requestId?: string
  /** Seconds, as in the header `Retry-After`. */
  readonly retryAfter?: number
  /** The methods that do apply, as in the header `Allow`. */
  readonly allow?: ReadonlyArray<string>
  readonly errors?: ReadonlyArray<ProblemIssue>
}

/** A refusal on its way to the client, and at the client. */
export class Problem extends Data.TaggedError("Problem")<ProblemBody> {
  override get message(): string {
    return `${this.status} ${this.title}: ${this.detail}`
  }
}

/** The plain members, for answers that are made without raising an error. */
export const bodyOf = (
  kind: Kind,
  detail: string,
  more?: Pick<ProblemBody, "instance" | "retryAfter" | "allow" | "errors">
): ProblemBody => ({ type: `/problems/${kind}`, title: kinds[kind][1], status: kinds[kind][0], detail, ...more })

export const problem = (
  kind: Kind,
  detail: string,
  more?: Pick<ProblemBody, "retryAfter" | "allow" | "errors">
): Problem => new Problem(bodyOf(kind, detail, more))

export const wrongMethod = (request: Request, allow: ReadonlyArray<string>): Problem =>
  problem("method-not-allowed", `this takes ${allow.join(", ")}, not ${request.method}`, { allow })

/** What a failed store operation is to a client. `now` in milliseconds since the epoch. */
export const fromStoreError = (error: StoreError, now: number): Problem => {
  const write = error.operation !== "get" && error.operation !== "list"
  switch (error.reason) {
    case "BadKey":
      return problem("bad-key", "KV would not take this key")
    case "BadCursor":
      return problem("bad-parameter", "cursor: this is not one that a page of this collection gave")
    case "Undecodable":
      return problem("undecodable", "a stored value is not of the shape that its collection has; it was left as it is")
    case "TooLarge":
      return problem("too-large", "a value holds at most 25 MiB")
    case "Full":
      return problem(
        "shard-full",
        "the Durable Object that keeps this key holds 9.5 GB: delete entries, or give the keys more objects with admin/reshard"
      )
    case "ReadOnly":
      return problem("read-only", "what is built into this Worker changes with a deployment only", {
        allow: ["GET", "HEAD"]
      })
    case "RateLimited":
      return problem("rate-limited", "one key takes one write a second", { retryAfter: error.retryAfter ?? 1 })
    case "DailyLimit":
      return problem("daily-limit", "the allowance is renewed at 00:00 UTC", {
        retryAfter: error.retryAfter ?? secondsToMidnight(now)
      })
    case "ConditionFailed":
      return problem("condition-failed", "the entry is not as the condition has it, and was left as it is")
    case "NeedsDurableMode":
      return problem("needs-durable-mode", "KV has no compare-and-set: a write under a condition needs Durable Objects")
    case "NamedTwice":
      return problem("invalid-body", "a key that is changed under a condition is named once in a batch")
    case "LoadFailed":
    case "Unavailable":
      return write
        ? problem(
            "not-stored",
            "it may or may not have been taken; the same request may be sent again, one under a condition after a look at the entry",
            {
              retryAfter: error.retryAfter ?? 1
            }
          )
        : problem("unavailable", "neither a cache tier nor the store answered in time", {
            retryAfter: error.retryAfter ?? 1
          })
  }
}

/** What no client can do anything about stands in the log, with its cause. */
export const logFailing = (error: StoreError): Effect.Effect<void> =>
  error.reason === "Unavailable" || error.reason === "LoadFailed" || error.reason === "Undecodable"
    ? Effect.logWarning("the store failed a request", error)
    : Effect.void

/** The same, as of now. */
export const refuse = (error: StoreError): Effect.Effect<never, Problem> =>
  Effect.zipRight(
    logFailing(error),
    Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(fromStoreError(error, now)))
  )

/** A store operation whose failure is the client's problem. */
export const refusing = <A, R>(effect: Effect.Effect<A, StoreError, R>): Effect.Effect<A, Problem, R> =>
  Effect.catchAll(effect, refuse)

/** The refusal behind a failure, or undefined when it is our own mistake. */
export const fromCause = (cause: Cause.Cause<Problem | StoreError>, now: number): Problem | undefined => {
  const error = Cause.failureOption(cause)
  if (error._tag === "None") return undefined
  if (error.value._tag === "Problem") return error.value
  return error.value._tag === "StoreError" ? fromStoreError(error.value, now) : undefined
}

/** All there is to say of our own mistakes: the cause is logged, never sent. */
export const internal: ProblemBody = bodyOf("internal", "the fault is ours, and it was logged")

export const headersOf = (body: ProblemBody): Record<string, string> => ({
  "Content-Type": "application/problem+json",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  ...(body.status === 401 ? { "WWW-Authenticate": 'ApiKey realm="larder", header="X-API-KEY"' } : {}),
  ...(body.retryAfter === undefined ? {} : { "Retry-After": String(Math.max(1, Math.ceil(body.retryAfter))) }),
  ...(body.allow === undefined ? {} : { Allow: body.allow.join(", ") })
})

/** The members as they travel: `problem` may be an error object, whose own fields stay here. */
const textOf = (problem: ProblemBody, instance: string, requestId: string): string =>
  JSON.stringify({
    type: problem.type,
    title: problem.title,
    status: problem.status,
    detail: problem.detail,
    instance,
    requestId,
    retryAfter: problem.retryAfter,
    allow: problem.allow,
    errors: problem.errors
  })

const answered = new WeakMap<Response, string>()

/** The last segment of the type of the problem that a response carries. */
export const kindOf = (response: Response): string | undefined => answered.get(response)

/** @param more headers beside the problem's own, such as `Cache-Status` */
export const toResponse = (request: Request, problem: ProblemBody, more?: Record<string, string>): Response => {
  const response = responseOf(request, problem, more)
  answered.set(response, problem.type.slice(problem.type.lastIndexOf("/") + 1))
  return response
}

const responseOf = (request: Request, problem: ProblemBody, more: Record<string, string> | undefined): Response => {
  const requestId = requestIdOf(request)
  const text = textOf(problem, new URL(request.url).pathname, requestId)
  const headers = { ...headersOf(problem), ...more, [requestIdHeader]: requestId }
  return request.method === "HEAD"
    ? new Response(null, {
        status: problem.status,
        headers: { ...headers, "Content-Length": String(new TextEncoder().encode(text).byteLength) }
      })
    : new Response(text, { status: problem.status, headers })
}

/** Until 00:00 UTC, when allowances are renewed. */
export const secondsToMidnight = (now: number): number => Math.ceil((resetsAt(now) - now) / 1000)
