import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import * as Selection from "../../services/http-cache/model/Selection.ts"
import type { Origin, OriginError } from "../../services/http-cache/Origin.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import { type Forwarding, fetchAndKeep } from "./fetchAndKeep.ts"

/**
 * Asks the origin, or waits for a request of this isolate that is asking it for the same. The one who asks has its
 * response as soon as the origin gives it; the others wait until it is kept, or known not to be, and get none here: they
 * look the cache up again. So nothing of one request reaches another but what the store holds as shareable, no stream is
 * shared, and nobody waits longer than `patience`.
 */
export const joinFetch = (
  key: string,
  request: Request,
  forwarding: Forwarding
): Effect.Effect<Option.Option<Response>, OriginError, Origin | ResponseStore | SingleFlight> =>
  Effect.gen(function* () {
    const { patience } = yield* HttpCacheSettings
    const flights = yield* SingleFlight
    const variants = yield* (yield* ResponseStore).variants(key)
    const selecting = Selection.selecting(variants[0]?.vary ?? [], request.headers)
    let deliver: (exit: Exit.Exit<Response, OriginError>) => void = () => undefined
    const mine = new Promise<Exit.Exit<Response, OriginError>>((resolve) => {
      deliver = resolve
    })
    const fetching = Effect.gen(function* () {
      const fetched = yield* Effect.exit(fetchAndKeep(key, request, forwarding))
      deliver(Exit.map(fetched, ({ response }) => response))
      if (Exit.isSuccess(fetched)) yield* fetched.value.kept
    })
    const flight = flights.run(`${key} ${JSON.stringify(selecting)}`, Duration.decode(patience), fetching)
    // A promise of this request, not a race of fibers: a loser that may not be interrupted would be waited for.
    const ended = Runtime.runPromiseExit(yield* Effect.runtime<Origin | ResponseStore>())(flight)
    const exit = yield* Effect.promise(() => Promise.race([mine, ended.then(() => undefined)]))
    return exit === undefined ? Option.none() : Option.some(yield* exit)
  })
