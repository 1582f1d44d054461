import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as BackgroundWorker from "../../layers/base/BackgroundWorker.ts"
import * as LoggerJson from "../../layers/base/LoggerJson.ts"
import { answerRequest } from "../../programs/http-cache/answerRequest.ts"
import { Background } from "../../services/base/Background.ts"
import { Origin, OriginError } from "../../services/http-cache/Origin.ts"
import { type HttpCacheOptions, make, type PurgeRequest } from "./httpCache.ts"

export type { HttpCacheOptions, PurgeRequest }

export type FetchHandler<Env> = (request: Request, env: Env, context: ExecutionContext) => Response | Promise<Response>

export interface CachedHandler<Env> {
  readonly fetch: (request: Request, env: Env, context: ExecutionContext) => Promise<Response>
  /**
   * At once in this isolate; within `memoryTtl` in others, of every location where `purges` is given, otherwise of this
   * one. Rejects where the purges are not kept.
   *
   * @param env where purges are kept in objects and no request came before
   */
  readonly purge: (what: PurgeRequest, env?: Env) => Promise<void>
}

const run = Runtime.runPromiseExit(LoggerJson.runtime)

/** Puts an HTTP cache in front of a fetch handler, one per isolate: call it once, outside the handler. */
export const withHttpCache = <Env = unknown>(
  handler: FetchHandler<Env>,
  options: HttpCacheOptions = {}
): CachedHandler<Env> => {
  const cache = make(options)
  return {
    fetch: async (request, env, context) => {
      cache.meet(env)
      const held = cache.hit(request, Date.now())
      if (held !== undefined) return held
      const origin = {
        fetch: (asked: Request) =>
          Effect.tryPromise({
            try: async () => handler(asked, env, context),
            catch: (cause) => new OriginError({ operation: "fetch", reason: "Unreachable", cause })
          })
      }
      const services = cache.services.pipe(
        Context.add(Origin, origin),
        Context.add(Background, BackgroundWorker.make(context))
      )
      const exit = await run(Effect.provide(Effect.either(answerRequest(request)), services))
      if (Exit.isFailure(exit)) throw new Error("the HTTP cache failed", { cause: exit.cause })
      // What the handler threw is the handler's.
      if (exit.value._tag === "Left") throw exit.value.left.cause
      return exit.value.right
    },
    purge: async (what, env) => {
      if (env !== undefined) cache.meet(env)
      if (cache.lacksLog()) throw new TypeError("purge: give `env`, since no request has told it yet")
      await Effect.runPromise(cache.store.purge({ ...what, at: Date.now() }))
    }
  }
}
