import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { Background } from "../../services/base/Background.ts"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import * as Answer from "../../services/http-cache/model/Answer.ts"
import * as CacheStatus from "../../services/http-cache/model/CacheStatus.ts"
import * as Selection from "../../services/http-cache/model/Selection.ts"
import type { StoredResponse } from "../../services/http-cache/model/StoredResponse.ts"
import * as Storing from "../../services/http-cache/model/Storing.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import type { OriginAnswer } from "./askOrigin.ts"
import { joinWith } from "./combineParts.ts"

/** A response for the client, and the work of keeping it, which takes as long as its body. */
export interface Fetched {
  readonly response: Response
  readonly kept: Effect.Effect<void, never, ResponseStore>
}

/**
 * Keeps a response while its client reads it, or makes one anew. Never in the foreground, whatever the background: a body
 * moves only once its client has the response.
 */
export const keepBehind = <R>(work: Effect.Effect<void, never, R>): Effect.Effect<void, never, R> =>
  Effect.flatMap(Effect.runtime<R>(), (runtime) =>
    Effect.map(Background, (background) => background.promise(Runtime.runPromise(runtime)(work)))
  )

export const exchangeOf = ({ response: { headers, status, statusText }, sent }: OriginAnswer): Storing.Exchange => ({
  ...sent,
  headers,
  status,
  statusText
})

/** Passes a response of the origin on, and keeps it under the key if it may be kept. */
export const keepResponse = (
  key: string,
  answer: OriginAnswer,
  why: CacheStatus.Forward
): Effect.Effect<Fetched, never, ResponseStore> =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const store = yield* ResponseStore
    const { response } = answer
    const next = Storing.toStore(crypto.randomUUID(), exchangeOf(answer), policy)
    if (typeof next === "string") {
      const status = CacheStatus.format(policy.name, { forward: why, detail: next })
      return { response: Answer.passed(response, response.body, status, policy), kept: Effect.void }
    }
    const announced = Storing.announcedBytes(next, response.headers)
    const earlier = next.part === undefined ? undefined : partOf(yield* store.variants(key), next)
    const { kept, passing } = yield* store.record(key, next, response.body, announced)
    const joined =
      earlier === undefined ? kept : Effect.zipRight(kept, joinWith(key, earlier, { ...next, size: announced ?? 0 }))
    const status = CacheStatus.format(policy.name, { forward: why, stored: true })
    return { response: Answer.passed(response, passing, status, policy, next), kept: joined }
  })

const partOf = (variants: ReadonlyArray<StoredResponse>, next: StoredResponse): StoredResponse | undefined =>
  variants.find((stored) => stored.part !== undefined && Selection.sameVariant(stored, next))

/** What a response to HEAD tells of the stored response to GET. */
export const keepHead = (
  key: string,
  answer: OriginAnswer,
  why: CacheStatus.Forward,
  stored: Option.Option<StoredResponse>
): Effect.Effect<Fetched, never, ResponseStore> =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const store = yield* ResponseStore
    const update = Option.flatMapNullable(stored, (known) => Storing.updatedByHead(known, exchangeOf(answer), policy))
    const response = Answer.passed(answer.response, null, CacheStatus.format(policy.name, { forward: why }), policy)
    return { response, kept: Option.isNone(update) ? Effect.void : store.keep(key, update.value) }
  })
