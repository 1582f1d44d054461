import * as Persistence from "@effect/experimental/Persistence"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { clearKeys, expirationTtlOf, valuesOf } from "../facade/namespaceKeys.ts"

/** What KV holds: its own expirations begin at a minute, so that the end stands beside the value. */
interface Kept {
  readonly value: unknown
  /** Milliseconds since the epoch. */
  readonly end?: number
}

const attempt = <A>(method: string, run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => Persistence.PersistenceBackingError.make(method, cause) })

/**
 * The backing of @effect/experimental's `Persistence` (and so of its `PersistedCache`) over a namespace. Keys are
 * `store id:key`.
 *
 * @param namespace as `withLarder` or `kvNamespace` give it
 */
export const make = (namespace: KVNamespace): Persistence.BackingPersistence =>
  Persistence.BackingPersistence.of({
    [Persistence.BackingPersistenceTypeId]: Persistence.BackingPersistenceTypeId,
    make: (storeId) =>
      Effect.sync((): Persistence.BackingPersistenceStore => {
        const prefix = `${storeId}:`

        const getMany = (method: string, keys: ReadonlyArray<string>) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            attempt(method, async () =>
              (
                await valuesOf(
                  namespace,
                  keys.map((key) => prefix + key)
                )
              ).map((text) => {
                if (text === null) return Option.none<unknown>()
                const { end, value } = JSON.parse(text) as Kept
                return end !== undefined && end <= now ? Option.none<unknown>() : Option.some(value)
              })
            )
          )

        const set = (method: string, key: string, value: unknown, ttl: Option.Option<Duration.Duration>) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            attempt(method, () => {
              const millis = Option.isSome(ttl) ? Duration.toMillis(ttl.value) : Number.POSITIVE_INFINITY
              const kept: Kept = Number.isFinite(millis) ? { value, end: now + millis } : { value }
              return namespace.put(prefix + key, JSON.stringify(kept), expirationTtlOf(millis))
            })
          )

        return {
          get: (key) => Effect.map(getMany("get", [key]), ([found]) => found!),
          getMany: (keys) => getMany("getMany", keys),
          set: (key, value, ttl) => set("set", key, value, ttl),
          setMany: (entries) =>
            Effect.forEach(entries, ([key, value, ttl]) => set("setMany", key, value, ttl), {
              concurrency: "unbounded",
              discard: true
            }),
          remove: (key) => attempt("remove", () => namespace.delete(prefix + key)),
          clear: attempt("clear", () => clearKeys(namespace, prefix))
        }
      })
  })

export const layer = (namespace: KVNamespace): Layer.Layer<Persistence.BackingPersistence> =>
  Layer.sync(Persistence.BackingPersistence, () => make(namespace))

/** `ResultPersistence` over it, as `PersistedCache` asks for. */
export const layerResult = (namespace: KVNamespace): Layer.Layer<Persistence.ResultPersistence> =>
  Layer.provide(Persistence.layerResult, layer(namespace))
