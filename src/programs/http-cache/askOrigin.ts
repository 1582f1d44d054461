import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Storing from "../../services/http-cache/model/Storing.ts"
import { Origin, type OriginError } from "../../services/http-cache/Origin.ts"

/** A request as it was answered, and when. */
export type Sent = Omit<Storing.Exchange, "status" | "statusText" | "headers">

export interface OriginAnswer {
  readonly sent: Sent
  readonly response: Response
}

/**
 * Asks the origin for a client's request under other header fields. It outlives its client, since what comes is for
 * others, too. What it selects by `Vary` is what the client said.
 */
export const askOrigin = (request: Request, headers: Headers): Effect.Effect<OriginAnswer, OriginError, Origin> =>
  Effect.gen(function* () {
    const { method, url } = request
    const requestTime = yield* Clock.currentTimeMillis
    const response = yield* (yield* Origin).fetch(new Request(request, { headers, signal: null }))
    const responseTime = yield* Clock.currentTimeMillis
    return { sent: { method, url, requestHeaders: request.headers, requestTime, responseTime }, response }
  })
