import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { flushBuffered } from "../../programs/batching/flushBuffered.ts"
import { reshardDurable } from "../../programs/durable/reshardDurable.ts"
import { migrateRecorded, modeInForce } from "../../programs/migration/migrateOnFlagChange.ts"
import { prefetchCycle } from "../../programs/prefetch/prefetchCycle.ts"
import { DurableCache, DurableCacheError } from "../../services/durable/DurableCache.ts"
import type { RecordedModeError } from "../../services/migration/RecordedMode.ts"
import type { StoreOfRecordError } from "../../services/migration/StoresOfRecord.ts"
import { larder } from "../http/apiLarder.ts"
import * as Handlers from "../http/handlers.ts"
import { type Problem, problem, secondsToMidnight } from "../http/problem.ts"
import { admin } from "./apiAdmin.ts"

/** The objects wait for KV while they save and read; longer than that nobody waits for them. */
const patience = Duration.minutes(1)

const noObjects = problem("no-durable-objects", "it needs the bindings CACHE_DO and CACHE_DO_KV")

const outOfReach = (error: { readonly reason: string }): Problem =>
  problem("unavailable", "a shard or its snapshot is out of reach; the same request may be sent again", {
    retryAfter: error.reason === "Overloaded" ? 30 : 5
  })

const refusing = (error: StoreOfRecordError | RecordedModeError, now: number): Problem => {
  switch (error.reason) {
    case "Absent":
      return noObjects
    case "BadCursor":
      return problem("bad-parameter", "cursor: this is not one of a migration to this mode, or it is too old")
    case "RateLimited":
      return problem("rate-limited", "KV takes no more writes just now; the same request may be sent again", {
        retryAfter: 5
      })
    case "DailyLimit":
      return problem("daily-limit", "the allowance is renewed at 00:00 UTC; then the same request may be sent again", {
        retryAfter: secondsToMidnight(now)
      })
    default:
      return outOfReach(error)
  }
}

export const layer = Handlers.group(larder.add(admin), "admin", (handlers) =>
  Effect.gen(function* () {
    const durable = yield* DurableCache

    const operate = <A>(operation: Effect.Effect<A, DurableCacheError>): Effect.Effect<A, Problem> =>
      durable.enabled
        ? operation.pipe(
            Effect.timeoutFail({
              duration: patience,
              onTimeout: () => new DurableCacheError({ operation: "operate", reason: "Unavailable" })
            }),
            Effect.tapError((error) => Effect.logWarning("an operation failed", error)),
            Effect.mapError(outOfReach)
          )
        : Effect.fail(noObjects)

    return handlers
      .handle("prefetch", () => prefetchCycle)
      .handle("flush", () =>
        Effect.flatMap(flushBuffered, (written) => {
          const buffered = written.flushed + written.kept > 0 ? { buffered: written } : {}
          return !durable.enabled && written.flushed + written.kept > 0
            ? Effect.succeed({ flushed: 0, ...buffered })
            : Effect.map(operate(durable.flush), (flushed) => ({ flushed, ...buffered }))
        })
      )
      .handle("flushBuffered", () => flushBuffered)
      .handle("restore", ({ urlParams: { snapshot } }) =>
        Effect.map(operate(durable.restore(snapshot)), (taken) => ({ taken }))
      )
      .handle("reshard", ({ payload: { dryRun = true, shards } }) =>
        reshardDurable({ shards, dryRun }).pipe(
          Effect.map(({ complete, from, to, ...outcome }) => {
            const told = { ...outcome, from: from.shards, to: to.shards }
            return complete ? { ...told, complete: true as const } : { ...told, complete: false as const }
          }),
          Effect.tapError((error) => Effect.logWarning("a reshard stopped", error)),
          Effect.mapError((error) =>
            error._tag !== "ReshardError"
              ? outOfReach(error)
              : error.reason === "Absent"
                ? noObjects
                : problem("reshard-under-way", `${error.to?.shards} were asked for first: go on with that number`)
          )
        )
      )
      .handle("migrate", ({ payload: { cursor, dryRun = true, to } }) =>
        Effect.flatMap(modeInForce, (inForce) =>
          migrateRecorded({ to: to ?? inForce, dryRun, cursor }).pipe(
            Effect.map(({ cursor: next, ...outcome }) =>
              next === undefined
                ? { ...outcome, complete: true as const, cursor: null }
                : { ...outcome, complete: false as const, cursor: next }
            ),
            Effect.tapError((error) => Effect.logWarning("a migration stopped", error)),
            Effect.catchAll((error) =>
              Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(refusing(error, now)))
            )
          )
        )
      )
  })
)
