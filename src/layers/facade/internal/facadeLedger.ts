import * as Effect from "effect/Effect"
import type { Kv, KvError } from "../../../services/kv/Kv.ts"
import type { Ledger } from "../../../services/ledger/Ledger.ts"
import type { KvKind } from "../../../services/ledger/model/KvKind.ts"

/** What was asked of one namespace, and what KV was asked for, in the ledger. */
export const makeFacadeLedger = (ledger: Ledger["Type"], name: string) => {
  const billed = (kind: KvKind, count: number): void =>
    ledger.record({ tier: "kv", namespace: name, collection: name, kind, billed: count, calls: 1 })

  /** Also what failed, unless KV refused it: the request has left. */
  const metered = <A>(kind: KvKind, count: number, effect: Effect.Effect<A, KvError>): Effect.Effect<A, KvError> =>
    effect.pipe(
      Effect.tap(() => Effect.sync(() => billed(kind, count))),
      Effect.tapError(({ reason }) => Effect.sync(() => (reason === "Unavailable" ? billed(kind, count) : undefined)))
    )

  return {
    asked: (kind: KvKind, count = 1): void => ledger.record({ tier: "logical", collection: name, kind, count }),
    billed,
    over: (kv: Kv["Type"]): Kv["Type"] => ({
      get: (key, options) => metered("reads", 1, kv.get(key, options)),
      getBulk: (keys, options) => metered("reads", keys.length, kv.getBulk(keys, options)),
      put: (key, value, options) => metered("writes", 1, kv.put(key, value, options)),
      delete: (key) => metered("deletes", 1, kv.delete(key)),
      list: (options) => metered("lists", 1, kv.list(options))
    })
  }
}
