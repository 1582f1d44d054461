import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Advise } from "./model/Recommendation.ts"

/** What the applications of this Worker recommend beside the cache's own, loaded when it is asked for. */
export class ApplicationAdvice extends Context.Reference<ApplicationAdvice>()("larder/ApplicationAdvice", {
  defaultValue: (): Effect.Effect<ReadonlyArray<Advise>> => Effect.succeed([])
}) {}
