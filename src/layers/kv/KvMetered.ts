import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Kv, type KvError } from "../../services/kv/Kv.ts"
import { logicalKey, pageBehind } from "../../services/kv/model/PhysicalKey.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"

/** The collection that Larder's own keys are counted under. */
export const ownCollection = "~"

/** Counting must never fail, not even over what is no key and was refused for it. */
const collectionOf = (physical: string): string =>
  (pageBehind(String(physical)) ?? logicalKey(String(physical)))?.collection ?? ownCollection

/** A request that failed on KV's side, or whose reply never came, has left the house: it counts as billed. */
export const isRefusal = (exit: Exit.Exit<unknown, KvError>): boolean =>
  Exit.isFailure(exit) && Option.exists(Cause.failureOption(exit.cause), (error) => error.reason !== "Unavailable")

/** A namespace whose every operation is written into the ledger; `namespace` is the name it is counted under. */
export const make = (
  kv: Context.Tag.Service<Kv>,
  ledger: Context.Tag.Service<Ledger>,
  namespace: string
): Context.Tag.Service<Kv> => {
  const record = (kind: KvKind, collection: string, keys: number, calls: number, refused: boolean): void => {
    if (refused) for (let i = 0; i < keys; i++) ledger.record({ tier: "kvRefused", namespace, collection, kind })
    else ledger.record({ tier: "kv", namespace, collection, kind, billed: keys, calls })
  }

  const metered = <A>(kind: KvKind, name: string, operation: Effect.Effect<A, KvError>): Effect.Effect<A, KvError> =>
    Effect.onExit(operation, (exit) => {
      record(kind, collectionOf(name), 1, 1, isRefusal(exit))
      return Effect.void
    })

  return {
    get: (key, options) => metered("reads", key, kv.get(key, options)),
    getBulk: (keys, options) =>
      Effect.onExit(kv.getBulk(keys, options), (exit) => {
        const refused = isRefusal(exit)
        const counts = new Map<string, number>()
        for (const key of keys) {
          const collection = collectionOf(key)
          counts.set(collection, (counts.get(collection) ?? 0) + 1)
        }
        let calls = 1
        for (const [collection, count] of counts) {
          record("reads", collection, count, calls, refused)
          calls = 0
        }
        return Effect.void
      }),
    put: (key, value, options) => metered("writes", key, kv.put(key, value, options)),
    delete: (key) => metered("deletes", key, kv.delete(key)),
    list: (options) => metered("lists", options?.prefix ?? "", kv.list(options))
  }
}

/** Meters the `Kv` it is provided with. */
export const layer = (namespace: string): Layer.Layer<Kv, never, Kv | Ledger> =>
  Layer.effect(
    Kv,
    Effect.map(Effect.all([Kv, Ledger]), ([kv, ledger]) => make(kv, ledger, namespace))
  )
