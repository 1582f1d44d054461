import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as BackgroundWorker from "../../layers/base/BackgroundWorker.ts"
import * as EdgeResponsesCaches from "../../layers/http-cache/EdgeResponsesCaches.ts"
import * as EdgeResponsesOff from "../../layers/http-cache/EdgeResponsesOff.ts"
import * as ResponseStoreTiered from "../../layers/http-cache/ResponseStoreTiered.ts"
import * as MemoryTierTinyLfu from "../../layers/tiers/MemoryTierTinyLfu.ts"
import * as SingleFlightPromise from "../../layers/tiers/SingleFlightPromise.ts"
import { answerRequest } from "../../programs/http-cache/answerRequest.ts"
import { Background } from "../../services/base/Background.ts"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import { defaultPolicy, type HttpCachePolicy } from "../../services/http-cache/model/HttpCachePolicy.ts"
import type { PurgeMark } from "../../services/http-cache/model/Purge.ts"
import { Origin, OriginError } from "../../services/http-cache/Origin.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import * as hotHit from "./hotHit.ts"

export type FetchHandler<Env> = (request: Request, env: Env, context: ExecutionContext) => Response | Promise<Response>

export interface HttpCacheOptions extends Partial<HttpCachePolicy> {
  /** Bytes of isolate memory that stored responses may take; 16 MiB unless it says otherwise. */
  readonly memoryBytes?: number
  /** Seconds that this isolate goes by what it holds before it asks the edge again; 60. */
  readonly memoryTtl?: number
  /** False to keep nothing in the Cache API. */
  readonly edge?: boolean
  /** Seconds that a request waits for another's fetch of the same before it fetches by itself; 10. */
  readonly patience?: number
}

/** What to purge. Names of one call are alternatives. */
export interface PurgeRequest {
  /** As the responses' `Cache-Tag` names them. */
  readonly tags?: ReadonlyArray<string>
  /** Beginnings of paths. */
  readonly pathPrefixes?: ReadonlyArray<string>
  readonly everything?: true
}

export interface CachedHandler<Env> {
  readonly fetch: (request: Request, env: Env, context: ExecutionContext) => Promise<Response>
  /** At once in this isolate; in others of this location within `memoryTtl`. Other locations are not reached. */
  readonly purge: (what: PurgeRequest) => Promise<void>
}

const edgeHost = "http-cache.larder.internal"

/** Puts an HTTP cache in front of a fetch handler, one per isolate: call it once, outside the handler. */
export const withHttpCache = <Env = unknown>(
  handler: FetchHandler<Env>,
  { edge = true, memoryBytes = 16 * (1 << 20), memoryTtl = 60, patience = 10, ...chosen }: HttpCacheOptions = {}
): CachedHandler<Env> => {
  const policy: HttpCachePolicy = { ...defaultPolicy, ...chosen }
  const memory = MemoryTierTinyLfu.make(memoryBytes)
  const location = edge ? EdgeResponsesCaches.make(() => caches.default, edgeHost) : EdgeResponsesOff.make()
  const store = ResponseStoreTiered.make(memory, location, { policy, memoryTtl: memoryTtl * 1000 })
  const shared = Context.empty().pipe(
    Context.add(ResponseStore, store),
    Context.add(SingleFlight, SingleFlightPromise.make()),
    Context.add(HttpCacheSettings, { policy, patience: patience * 1000 })
  )
  const hit = hotHit.make(store, policy)
  return {
    fetch: async (request, env, context) => {
      const held = hit(request, Date.now())
      if (held !== undefined) return held
      const origin = {
        fetch: (asked: Request) =>
          Effect.tryPromise({
            try: async () => handler(asked, env, context),
            catch: (cause) => new OriginError({ operation: "fetch", reason: "Unreachable", cause })
          })
      }
      const services = shared.pipe(Context.add(Origin, origin), Context.add(Background, BackgroundWorker.make(context)))
      const exit = await Effect.runPromiseExit(Effect.provide(Effect.either(answerRequest(request)), services))
      if (Exit.isFailure(exit)) throw new Error("the HTTP cache failed", { cause: exit.cause })
      // What the handler threw is the handler's.
      if (exit.value._tag === "Left") throw exit.value.left.cause
      return exit.value.right
    },
    purge: (what) => {
      const mark: PurgeMark = { ...what, at: Date.now() }
      return Effect.runPromise(store.purge(mark))
    }
  }
}
