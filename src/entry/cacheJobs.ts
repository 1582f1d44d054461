import * as Effect from "effect/Effect"
import { migrateOnFlagChange } from "../programs/migration/migrateOnFlagChange.ts"

export { flushBuffered } from "../programs/batching/flushBuffered.ts"
export { prefetchCycle } from "../programs/prefetch/prefetchCycle.ts"

export const followFlag = Effect.tap(migrateOnFlagChange, (done) =>
  done === undefined ? Effect.void : Effect.logInfo("the store of the mode in force was brought up to date", done)
)
