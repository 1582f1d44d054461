import * as Effect from "effect/Effect"
import { isLegalKey, type KvKind } from "../../../services/kv/Kv.ts"
import type { Ledger } from "../../../services/ledger/Ledger.ts"
import type { Collection } from "../../../services/store/model/Collection.ts"
import { StoreError } from "../../../services/store/Store.ts"

/** The operation that a kind is asked as, for the error that refuses it. */
const operations = { reads: "get", writes: "set", deletes: "delete", lists: "list" } as const

/** Begins logical operations: refuses keys that KV would not take, and counts what is asked for in the ledger. */
export const makeLogical = (ledger: Ledger["Type"]) => {
  const asked = (kind: KvKind, collection: Collection, count: number): void =>
    ledger.record({ tier: "logical", collection: collection.name, kind, count })
  return {
    asked,
    on: <A, E, R>(
      kind: KvKind,
      collection: Collection,
      keys: ReadonlyArray<string>,
      run: () => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | StoreError, R> =>
      Effect.suspend((): Effect.Effect<A, E | StoreError, R> => {
        if (!keys.every(isLegalKey))
          return Effect.fail(new StoreError({ operation: operations[kind], reason: "BadKey" }))
        asked(kind, collection, kind === "lists" ? 1 : keys.length)
        return run()
      })
  }
}
