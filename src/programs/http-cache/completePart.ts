import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import * as CacheStatus from "../../services/http-cache/model/CacheStatus.ts"
import * as Parts from "../../services/http-cache/model/Parts.ts"
import type { StoredResponse } from "../../services/http-cache/model/StoredResponse.ts"
import * as Storing from "../../services/http-cache/model/Storing.ts"
import type { Origin, OriginError } from "../../services/http-cache/Origin.ts"
import type { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import { answerStored } from "./answerStored.ts"
import { askOrigin } from "./askOrigin.ts"
import { keepTogether, keptPart } from "./combineParts.ts"
import { exchangeOf, type Fetched, keepResponse } from "./keepResponse.ts"

/**
 * Answers a request for the whole from a stored part and what it lacks, which is all that the origin is asked for. None
 * when that does not come about: the whole must be asked for.
 */
export const completePart = (
  key: string,
  request: Request,
  stored: StoredResponse
): Effect.Effect<Option.Option<Fetched>, OriginError, Origin | ResponseStore> =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const range = Parts.missing(stored)
    if (range === undefined || stored.part!.size > policy.memoryBodyBytes) return Option.none()
    const earlier = yield* keptPart(stored)
    if (Option.isNone(earlier)) return Option.none()
    const answer = yield* askOrigin(request, Parts.completing(request.headers, stored, range))
    const { response } = answer
    if (response.status === 200) return Option.some(yield* keepResponse(key, answer, "partial"))
    const next = Storing.toStore(crypto.randomUUID(), exchangeOf(answer), policy)
    const bytes = yield* Effect.option(Effect.tryPromise(async () => new Uint8Array(await response.arrayBuffer())))
    const size = Storing.announcedBytes({ rangeable: true }, response.headers)
    if (typeof next === "string" || Option.isNone(bytes) || bytes.value.byteLength !== size) return Option.none()
    const whole = yield* keepTogether(key, earlier.value, { stored: { ...next, size }, bytes: bytes.value })
    if (Option.isNone(whole)) return Option.none()
    const status = CacheStatus.format(policy.name, { forward: "partial", status: response.status, stored: true })
    const answered = yield* answerStored(whole.value, request, status)
    return Option.map(answered, (complete) => ({ response: complete, kept: Effect.void }))
  })
