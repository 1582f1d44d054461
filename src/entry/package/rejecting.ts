import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as LoggerJson from "../../layers/base/LoggerJson.ts"

const run = Runtime.runPromiseExit(LoggerJson.runtime)

/** A promise that rejects with the failure itself. */
export const rejecting = async <A, E>(effect: Effect.Effect<A, E>): Promise<A> => {
  const exit = await run(effect)
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}
