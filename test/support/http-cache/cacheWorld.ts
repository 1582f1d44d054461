import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BackgroundWorker from "../../../src/layers/base/BackgroundWorker.ts"
import * as EdgeResponsesMemory from "../../../src/layers/http-cache/EdgeResponsesMemory.ts"
import * as EdgeResponsesOff from "../../../src/layers/http-cache/EdgeResponsesOff.ts"
import * as ResponseStoreTiered from "../../../src/layers/http-cache/ResponseStoreTiered.ts"
import * as MemoryTierTinyLfu from "../../../src/layers/tiers/MemoryTierTinyLfu.ts"
import * as SingleFlightPromise from "../../../src/layers/tiers/SingleFlightPromise.ts"
import { answerRequest } from "../../../src/programs/http-cache/answerRequest.ts"
import { EdgeResponses } from "../../../src/services/http-cache/EdgeResponses.ts"
import { HttpCacheSettings } from "../../../src/services/http-cache/HttpCacheSettings.ts"
import { defaultPolicy, type HttpCachePolicy } from "../../../src/services/http-cache/model/HttpCachePolicy.ts"
import { Origin, OriginError } from "../../../src/services/http-cache/Origin.ts"
import type { PurgeLog } from "../../../src/services/http-cache/PurgeLog.ts"
import { ResponseStore } from "../../../src/services/http-cache/ResponseStore.ts"

export type Fields = Readonly<Record<string, string>>

/** What the origin answers; `unreachable` for nothing at all. `Date` is the test clock's, unless it says otherwise. */
export type Reply =
  | "unreachable"
  | { readonly status?: number; readonly headers?: Fields; readonly body?: BodyInit | null }

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** What this cache says of it. */
  readonly cacheStatus: string
}

export interface CacheWorld {
  /** The requests that reached the origin. */
  readonly asked: ReadonlyArray<Request>
  readonly ask: (
    path: string,
    headers?: Fields,
    init?: { readonly method?: string; readonly body?: string }
  ) => Effect.Effect<Answered, OriginError>
  readonly store: ResponseStore["Type"]
  /** Everything that goes on behind the answers. */
  readonly settled: Effect.Effect<void>
}

const host = "https://example.com"

/** A cache in front of a scripted origin, under the clock of the test. `reply` is called once per request asked of it. */
export const cacheWorld = (
  reply: (request: Request, count: number) => Reply,
  options: {
    readonly policy?: Partial<HttpCachePolicy>
    readonly edge?: EdgeResponsesLayer
    readonly memoryTtl?: number
    readonly purgeLog?: PurgeLog
  } = {}
): Effect.Effect<CacheWorld> =>
  Effect.gen(function* () {
    const policy: HttpCachePolicy = { ...defaultPolicy, ...options.policy }
    const asked: Array<Request> = []
    const waiting: Array<Promise<unknown>> = []
    const fetchOrigin = (request: Request) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        asked.push(request)
        const answer = reply(request, asked.length)
        if (answer === "unreachable")
          return Effect.fail(new OriginError({ operation: "fetch", reason: "Unreachable", cause: "connection lost" }))
        const { body, headers, status = 200 } = answer
        const fields = new Headers({ date: new Date(now).toUTCString(), ...headers })
        const text = body === undefined ? `body ${asked.length}` : body
        if (typeof text === "string" && !fields.has("content-length")) fields.set("content-length", String(text.length))
        return Effect.succeed(new Response(request.method === "HEAD" ? null : text, { status, headers: fields }))
      })
    const store = yield* Effect.provide(
      ResponseStore,
      ResponseStoreTiered.layer({
        policy,
        memoryTtl: options.memoryTtl ?? 60_000,
        purgeLog: () => options.purgeLog
      }).pipe(Layer.provide([MemoryTierTinyLfu.layer(8 << 20), options.edge ?? EdgeResponsesOff.layer]))
    )
    const services = Layer.mergeAll(
      Layer.succeed(ResponseStore, store),
      Layer.succeed(Origin, { fetch: fetchOrigin }),
      Layer.succeed(HttpCacheSettings, { policy, patience: "10 seconds" }),
      SingleFlightPromise.layer,
      BackgroundWorker.layer({ waitUntil: (promise) => void waiting.push(promise) })
    )
    const context = yield* Effect.scoped(Layer.build(services))
    const settled = Effect.promise(async () => {
      while (waiting.length > 0) await Promise.allSettled(waiting.splice(0))
    })
    return {
      asked,
      store,
      settled,
      ask: (path, headers = {}, init = {}) =>
        Effect.gen(function* () {
          const request = new Request(new URL(path, host), { headers, ...init })
          const response = yield* Effect.provide(answerRequest(request), context)
          const body = yield* Effect.promise(() => response.text())
          yield* settled
          return {
            status: response.status,
            headers: response.headers,
            body,
            cacheStatus: response.headers.get("cache-status") ?? ""
          }
        })
    }
  })

export type EdgeResponsesLayer = typeof EdgeResponsesOff.layer

/** One location that several caches of a test share. */
export const sharedEdge = (): EdgeResponsesLayer => {
  const edge = EdgeResponsesMemory.make()
  return Layer.succeed(EdgeResponses, edge)
}
