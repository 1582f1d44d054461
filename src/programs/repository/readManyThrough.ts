import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { TypedCollection } from "../../services/repository/model/TypedCollection.ts"
import { Repository } from "../../services/repository/Repository.ts"
import { StoreError } from "../../services/store/Store.ts"

/** What could be had of many keys. */
export interface ReadMany<V, E> {
  /** In the order asked. */
  readonly found: ReadonlyMap<string, V>
  /** Those of `found` that are served within grace, because they could not be loaded anew. */
  readonly stale: ReadonlySet<string>
  readonly failed: ReadonlyMap<string, E | StoreError>
}

/**
 * The values under many keys: one read for all of them, then, for those that are missing (or a single one), one load
 * together, of which each key keeps its own under its own lease. What `load` leaves out could not be had just now.
 */
export const readManyThrough = <V, E, R>(
  family: TypedCollection<string, V>,
  keys: ReadonlyArray<string>,
  load: (missing: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, V>, E, R>
): Effect.Effect<ReadMany<V, E>, never, R | Repository> =>
  Effect.gen(function* () {
    const repository = yield* Repository
    const distinct = [...new Set(keys)]
    const found = new Map<string, V>()
    const stale = new Set<string>()
    const failed = new Map<string, E | StoreError>()
    const near = distinct.length > 1 ? yield* Effect.orElseSucceed(repository.getMany(family, distinct), () => []) : []
    for (const [index, value] of near.entries()) if (Option.isSome(value)) found.set(distinct[index]!, value.value)
    const missing = distinct.filter((key) => !found.has(key))
    if (missing.length === 0) return { found, stale, failed }

    // In a fiber of its own, which nobody who waits for it takes along when giving up.
    const together = yield* Effect.cached(Effect.forkDaemon(load(missing)))
    const one = (key: string) => {
      let loadFailed = false
      const loaded = Effect.flatMap(together, Fiber.join).pipe(
        Effect.flatMap((values): Effect.Effect<Option.Option<V>, StoreError> => {
          const value = values.get(key)
          return value === undefined
            ? Effect.fail(new StoreError({ operation: "get", reason: "LoadFailed" }))
            : Effect.succeedSome(value)
        }),
        Effect.tapErrorCause(() => Effect.sync(() => (loadFailed = true)))
      )
      return Effect.match(repository.getOrLoad(family, key, loaded), {
        onFailure: (error) => void failed.set(key, error),
        onSuccess: (value) => {
          if (Option.isNone(value)) return
          found.set(key, value.value)
          if (loadFailed) stale.add(key)
        }
      })
    }
    yield* Effect.forEach(missing, one, { concurrency: "unbounded", discard: true })
    const inOrder = distinct.flatMap((key) => (found.has(key) ? [[key, found.get(key)!] as const] : []))
    return { found: new Map(inOrder), stale, failed }
  })
