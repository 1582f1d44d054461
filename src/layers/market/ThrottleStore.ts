import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import {
  type Blocked,
  type FailureClass,
  failedOnce,
  failureClasses,
  longestOf,
  Throttle,
  throttleStates
} from "../../services/market/Throttle.ts"
import { Repository } from "../../services/repository/Repository.ts"
import { makeKnownFailures } from "./internal/knownFailures.ts"

const keyOf = (provider: string, failureClass: FailureClass): string => `${failureClass}/${provider}`

/**
 * Failures kept in the store: a read and a write each, which in durable mode are a row of the shard and no KV
 * operation. What this isolate knows itself it does not ask for again.
 *
 * @param options.asks whether `blocked` asks for what other isolates learned, one batch of reads; without it, an
 *   isolate learns of them when it meets a failure itself
 */
export const make = (repository: Repository["Type"], options: { readonly asks: boolean }): Throttle["Type"] => {
  const known = makeKnownFailures()

  const unkept = <A>(effect: Effect.Effect<A, unknown>): Effect.Effect<A | undefined> =>
    Effect.catchAll(effect, (error) =>
      Effect.as(Effect.logWarning("failures of a provider could not be shared", error), undefined)
    )

  const shared = (provider: string, now: number): Effect.Effect<Blocked | undefined> =>
    repository
      .getMany(
        throttleStates,
        failureClasses.map((failureClass) => keyOf(provider, failureClass))
      )
      .pipe(
        unkept,
        Effect.map((found = []) => {
          const blocked = found.flatMap((failures, index) =>
            Option.isSome(failures) ? [{ ...failures.value, failureClass: failureClasses[index]! }] : []
          )
          for (const { failureClass, ...failures } of blocked) known.set(provider, failureClass, failures)
          return longestOf(blocked, now)
        })
      )

  return {
    scope: "shared",
    blocked: (provider) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const own = known.blocked(provider, now)
        return own !== undefined || !options.asks
          ? Effect.succeed(Option.fromNullable(own))
          : Effect.map(shared(provider, now), Option.fromNullable)
      }),
    failed: (provider, failureClass, { retryAfter } = {}) =>
      Effect.gen(function* () {
        const key = keyOf(provider, failureClass)
        const kept = yield* unkept(repository.get(throttleStates, key))
        const before = kept === undefined ? known.get(provider, failureClass) : Option.getOrUndefined(kept)
        const failures = failedOnce(before, failureClass, yield* Clock.currentTimeMillis, retryAfter)
        known.set(provider, failureClass, failures)
        yield* unkept(repository.set(throttleStates, key, failures))
        return failures
      }),
    succeeded: (provider) =>
      Effect.suspend(() =>
        Effect.forEach(
          known.forget(provider),
          (failureClass) => unkept(repository.delete(throttleStates, keyOf(provider, failureClass))),
          { discard: true }
        )
      ),
    known: known.all
  }
}

const layered = (asks: boolean): Layer.Layer<Throttle, never, Repository> =>
  Layer.effect(
    Throttle,
    Effect.map(Repository, (repository) => make(repository, { asks }))
  )

/** What one isolate learns, all know: for durable mode. */
export const layer = layered(true)

/** Reads only when something failed: exactly one read and one write per failure. */
export const layerOnFailure = layered(false)
