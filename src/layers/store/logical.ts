import * as Effect from "effect/Effect"
import { isLegalKey } from "../../services/kv/Kv.ts"
import type { Ledger } from "../../services/ledger/Ledger.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { type Change, StoreError, type StoreResult, type Written } from "../../services/store/Store.ts"

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
        if (!keys.every(isLegalKey)) return Effect.fail(badKey(operations[kind]))
        asked(kind, collection, kind === "lists" ? 1 : keys.length)
        return run()
      }),

    /** Reads of many keys: `run` is asked for those that are legal, and the others fail. */
    reading: <A, R>(
      collection: Collection,
      keys: ReadonlyArray<string>,
      run: (legal: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<StoreResult<A>>, never, R>
    ): Effect.Effect<ReadonlyArray<StoreResult<A>>, never, R> =>
      Effect.suspend(() => {
        const legal = keys.filter(isLegalKey)
        asked("reads", collection, legal.length)
        if (legal.length === keys.length) return run(keys)
        return Effect.map(run(legal), (results) => {
          let next = 0
          return keys.map((key) => (isLegalKey(key) ? results[next++]! : failed(badKey("get"))))
        })
      }),

    /**
     * Changes of many keys: `run` is asked for one of each key, the last that is not refused. Of several changes of a
     * key one of which has a condition, it would depend on the order what that is judged by: all are refused.
     *
     * @param refused why a change of a legal key is not taken
     */
    changing: (
      collection: Collection,
      changes: ReadonlyArray<Change>,
      run: (last: ReadonlyArray<Change>) => Effect.Effect<ReadonlyArray<StoreResult<Written>>>,
      refused: (change: Change) => StoreError | undefined = () => undefined
    ): Effect.Effect<ReadonlyArray<StoreResult<Written>>> =>
      Effect.suspend(() => {
        const twice = namedTwice(changes)
        const refusals = changes.map((change) => {
          const operation = "remove" in change ? "delete" : "set"
          if (!isLegalKey(change.key)) return badKey(operation)
          if (twice.has(change.key)) return new StoreError({ operation, reason: "NamedTwice" })
          return refused(change)
        })
        const taken = changes.filter((_, index) => refusals[index] === undefined)
        const last = [...new Map(taken.map((change) => [change.key, change])).values()]
        const removals = last.filter((change) => "remove" in change).length
        if (removals < last.length) asked("writes", collection, last.length - removals)
        if (removals > 0) asked("deletes", collection, removals)
        return Effect.map(last.length === 0 ? Effect.succeed([]) : run(last), (results) => {
          const byKey = new Map(last.map(({ key }, index) => [key, results[index]!]))
          return changes.map(({ key }, index) => {
            const refusal = refusals[index]
            return refusal === undefined ? byKey.get(key)! : failed(refusal)
          })
        })
      })
  }
}

/** The keys with a condition that have more than one change. */
const namedTwice = (changes: ReadonlyArray<Change>): ReadonlySet<string> => {
  const conditional = changes.filter(({ condition }) => condition !== undefined)
  return new Set(
    conditional.flatMap(({ key }) => (changes.filter((change) => change.key === key).length > 1 ? [key] : []))
  )
}

/** Why KV as the store of record does not take a change: it has no compare-and-set. */
export const refusedInKv = (change: Change): StoreError | undefined =>
  change.condition === undefined
    ? undefined
    : new StoreError({ operation: "remove" in change ? "delete" : "set", reason: "NeedsDurableMode" })

const badKey = (operation: StoreError["operation"]) => new StoreError({ operation, reason: "BadKey" })

const failed = (error: StoreError): StoreResult<never> => ({ _tag: "Failed", error })
