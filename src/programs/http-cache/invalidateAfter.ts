import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import * as Answer from "../../services/http-cache/model/Answer.ts"
import * as CacheStatus from "../../services/http-cache/model/CacheStatus.ts"
import * as Invalidation from "../../services/http-cache/model/Invalidation.ts"
import { Origin, type OriginError } from "../../services/http-cache/Origin.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import { keepBehind, keepResponse } from "./keepResponse.ts"

/** Passes an unsafe request on; what its success has made wrong is forgotten before its sender knows of it. */
export const invalidateAfter = (request: Request): Effect.Effect<Response, OriginError, Origin | ResponseStore> =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const store = yield* ResponseStore
    const { method, url, headers } = request
    const response = yield* (yield* Origin).fetch(request)
    const keys = Invalidation.targets(url, response).map(policy.key)
    yield* Effect.forEach(new Set(keys), store.drop, { concurrency: "unbounded", discard: true })
    if (Invalidation.answersGet(method, url, response)) {
      // What was asked before the drop is not kept; this is the first answer after it.
      const after = (yield* Clock.currentTimeMillis) + 1
      const sent = { method, url, requestHeaders: headers, requestTime: after, responseTime: after }
      const { kept, response: passing } = yield* keepResponse(policy.key(url), { sent, response }, "method")
      yield* keepBehind(kept)
      return passing
    }
    return Answer.passed(response, response.body, CacheStatus.format(policy.name, { forward: "method" }), policy)
  })
