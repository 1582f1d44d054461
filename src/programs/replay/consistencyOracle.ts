import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Tally } from "../../services/replay/model/Replayed.ts"
import * as ReplayedValue from "../../services/replay/model/ReplayedValue.ts"
import * as Staleness from "../../services/replay/model/Staleness.ts"
import type * as WriteHistory from "../../services/replay/model/WriteHistory.ts"
import type { Workload } from "../../services/replay/Workload.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Acknowledgement, Lookup, Store, StoreError, StoreResult, Written } from "../../services/store/Store.ts"

/**
 * Who watches what a workload's reads are told and what becomes of its writes. A value that a program of its own made
 * is known by its bytes: no two writes of an entry bring the same.
 *
 * @param now the clock, in milliseconds since the epoch
 * @param lag for how long the store of record itself may hide a write, in milliseconds
 */
export const makeConsistencyOracle = (
  workload: Workload["Type"],
  history: ReturnType<typeof WriteHistory.make>,
  tally: Tally,
  now: () => number,
  lag: number
) => {
  const { entries } = workload
  const numbers = new Map(entries.map(({ collection, key }, number) => [`${collection.name}/${key}`, number]))
  const issued = new Map<string, number>()

  /** The write that brought an entry's value; undefined for the value of another. */
  const versionOf = (entry: number, value: Uint8Array): number | undefined =>
    issued.get(textOf(entry, value)) ??
    (ReplayedValue.entryOf(value) === entry ? ReplayedValue.versionOf(value) : undefined)

  const beginning = (entry: number): Begun => ({ latest: history.latest(entry), at: now() })

  const stale = (entry: number, seen: number, { at, latest }: Begun): void => {
    if (!history.isStale(seen, latest)) return
    const { collection } = entries[entry]!
    const age = history.age(entry, seen, at)
    const bound = Staleness.boundOf(collection, lag)
    const { oldest, reads } = tally.staleness.get(collection.name) ?? { reads: 0, oldest: 0 }
    tally.staleness.set(collection.name, { reads: reads + 1, oldest: Math.max(oldest, age), bound })
    tally.staleReads += 1
    if (age > bound) tally.staleBeyondPolicy += 1
  }

  /** What a static table answers, and a spelling that leads nowhere, is not in the history. */
  const judge = (entry: number, asked: string, begun: Begun, lookup: Lookup): void => {
    tally.answered[lookup.tier] += 1
    if (lookup.tier === "static") return
    if (lookup.entry === undefined) {
      const spelledOtherwise = asked !== entries[entry]!.key
      if (!spelledOtherwise) stale(entry, history.absence(entry, now()), begun)
      return
    }
    const seen = versionOf(entry, lookup.entry.value)
    if (seen === undefined) tally.wrongReads += 1
    else stale(entry, seen, begun)
  }

  const acknowledge = (write: number, as: Acknowledgement, expiresAt?: number): void => {
    if (as === "buffered") tally.bufferedWrites += 1
    const outcome = as === "buffered" ? "buffered" : "stored"
    history.acknowledge(
      write,
      outcome,
      Staleness.dueAt(entries[history.entryOf(write)]!.collection, outcome, now()),
      expiresAt
    )
  }

  const told = <A, E>(asking: Effect.Effect<A, E>, tell: (answer: A) => void): Effect.Effect<A, E> =>
    asking.pipe(
      Effect.tap(tell),
      Effect.tapError(() =>
        Effect.sync(() => {
          tally.failed += 1
        })
      )
    )

  const read = (store: Store["Type"], collection: Collection, entry: number, asked: string) =>
    Effect.suspend(() => {
      const begun = beginning(entry)
      return told(store.get(collection, asked), (lookup) => judge(entry, asked, begun, lookup))
    })

  /** Whether memory answers at once, without an effect; nothing has happened otherwise. */
  const held = (store: Store["Type"], collection: Collection, entry: number, asked: string, session?: string) => {
    const lookup = store.held(collection, asked, now(), session)
    if (lookup !== undefined) judge(entry, asked, beginning(entry), lookup)
    return lookup !== undefined
  }

  /** A read that loads what is missing from where the writes go, too. */
  const readThrough = (store: Store["Type"], collection: Collection, entry: number, asked: string, millis: number) =>
    Effect.suspend(() => {
      const begun = beginning(entry)
      const load = Effect.suspend(() => {
        tally.loaderRuns += 1
        const value = ReplayedValue.encode(history.latest(entry), entries[entry]!.size, entry)
        return Effect.as(Effect.sleep(millis), Option.some({ value }))
      })
      return told(store.getOrLoad(collection, asked, load), (lookup) => judge(entry, asked, begun, lookup))
    })

  const readMany = (
    store: Store["Type"],
    collection: Collection,
    numbers: ReadonlyArray<number>,
    asked: ReadonlyArray<string>
  ) =>
    Effect.suspend(() => {
      const begun = numbers.map(beginning)
      return Effect.tap(store.getMany(collection, asked), (results) => {
        for (const [index, result] of results.entries()) {
          if (result._tag === "Failed") tally.failed += 1
          else judge(numbers[index]!, asked[index]!, begun[index]!, result.value)
        }
      })
    })

  const written = (version: number, writing: Effect.Effect<Written, StoreError>) =>
    told(writing, ({ acknowledged, expiresAt }) => acknowledge(version, acknowledged, expiresAt))

  const writtenMany = (versions: ReadonlyArray<number>, writing: Effect.Effect<ReadonlyArray<StoreResult<Written>>>) =>
    Effect.tap(writing, (results) => {
      for (const [index, result] of results.entries()) {
        if (result._tag === "Failed") tally.failed += 1
        else acknowledge(versions[index]!, result.value.acknowledged, result.value.expiresAt)
      }
    })

  const numberOf = (collection: string, key: string): number => {
    const number = numbers.get(`${collection}/${key}`)
    if (number === undefined) throw new Error(`the workload has no entry ${collection}/${key}`)
    return number
  }

  const issue = (entry: number, value: Uint8Array): number => {
    const version = history.issue(entry, false)
    issued.set(textOf(entry, value), version)
    return version
  }

  return {
    versionOf,
    /** An entry as it is asked for, under its key or another spelling of it. */
    read,
    held,
    readThrough,
    /** Entries of one collection, each as it is asked for. */
    readMany,
    /** What becomes of a write that the history has issued. */
    written,
    /** The same of several, each with its own result. */
    writtenMany,
    /** The same of a delete. */
    deleted: (version: number, deleting: Effect.Effect<Acknowledgement, StoreError>) =>
      told(deleting, (acknowledged) => acknowledge(version, acknowledged)),
    /** A store that tells on every read and write of a program that goes through it. */
    over: (store: Store["Type"]): Store["Type"] => ({
      ...store,
      get: (collection, key) => Effect.suspend(() => read(store, collection, numberOf(collection.name, key), key)),
      getMany: (collection, keys) =>
        Effect.suspend(() => {
          const numbers = keys.map((key) => numberOf(collection.name, key))
          return readMany(store, collection, numbers, keys)
        }),
      set: (collection, key, value, options) =>
        Effect.suspend(() => {
          const version = issue(numberOf(collection.name, key), value)
          return written(version, store.set(collection, key, value, options))
        }),
      writeMany: (collection, changes) =>
        Effect.suspend(() => {
          const versions = changes.map((change) => {
            const entry = numberOf(collection.name, change.key)
            return "remove" in change ? history.issue(entry, true) : issue(entry, change.value)
          })
          return writtenMany(versions, store.writeMany(collection, changes))
        })
    })
  }
}

/** What a read can be held to: the latest write that was acknowledged when it began, and when that was. */
interface Begun {
  readonly latest: number
  readonly at: number
}

/** A character a byte. */
const textOf = (entry: number, value: Uint8Array): string => `${entry} ${String.fromCharCode(...value)}`
