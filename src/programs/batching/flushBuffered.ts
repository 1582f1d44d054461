import * as Effect from "effect/Effect"
import { Batcher, type Flushed } from "../../services/batching/Batcher.ts"

/**
 * Writes what this isolate has buffered, however young. A cron reaches one isolate of many: each of them also flushes
 * by itself, behind the requests that it answers.
 */
export const flushBuffered: Effect.Effect<Flushed> = Effect.flatMap(Batcher, (batcher) => batcher.flush("all"))
