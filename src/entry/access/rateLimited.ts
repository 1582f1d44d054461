import * as Effect from "effect/Effect"
import { hashOf } from "../../services/base/model/Hash.ts"
import type { RateLimiterService, RateVerdict } from "../../services/limits/RateLimiter.ts"
import { type ApiKey, authenticate } from "../http/authorize.ts"
import { Problem, problem } from "../http/problem.ts"

/** What the limiter says of a request by its key: undefined where no limit applies, as to one without a valid key. */
export const make =
  (limiter: RateLimiterService, keys: ReadonlyArray<ApiKey>) =>
  (request: Request): Effect.Effect<RateVerdict | undefined> => {
    const key = request.headers.get("X-API-KEY")
    const caller = authenticate(keys, key)
    return caller instanceof Problem || caller.unlimited
      ? Effect.succeed(undefined)
      : limiter.ask(`rate:${caller.name ?? hashOf(key ?? "").toString(16)}`)
  }

/** The refusal, if it is one, and structured fields as in draft-ietf-httpapi-ratelimit-headers-10; `t` in seconds. */
export const toldOf = ({ allowed, limit, remaining, resetAt, windowMillis }: RateVerdict, now: number) => {
  const seconds = windowMillis / 1000
  const left = Math.max(1, Math.ceil((resetAt - now) / 1000))
  return {
    headers: {
      "RateLimit-Policy": `"key";q=${limit};w=${seconds}`,
      RateLimit: `"key";r=${remaining};t=${left}`
    },
    refusal: allowed
      ? undefined
      : problem("too-many-requests", `this key may ask ${limit} times in ${seconds} seconds`, { retryAfter: left })
  }
}
