import * as Effect from "effect/Effect"
import type { Tally } from "../services/Replayed.ts"
import * as ReplayedValue from "../services/ReplayedValue.ts"
import type { Acknowledgement, Lookup, Store } from "../services/Store.ts"
import type { Workload } from "../services/Workload.ts"
import type * as WriteHistory from "../services/WriteHistory.ts"

/**
 * Who watches what a workload's reads are told and what becomes of its writes. A value that a program of its own made
 * is known by its bytes: no two writes of an entry bring the same.
 *
 * @param now the clock, in milliseconds since the epoch
 */
export const makeWitness = (
  workload: Workload["Type"],
  history: ReturnType<typeof WriteHistory.make>,
  tally: Tally,
  now: () => number
) => {
  const { entries } = workload
  const numbers = new Map(entries.map(({ collection, key }, number) => [`${collection.name}/${key}`, number]))
  const written = new Map<string, number>()

  /** The write that brought an entry's value; undefined for the value of another. */
  const versionOf = (entry: number, value: Uint8Array): number | undefined =>
    written.get(textOf(entry, value)) ??
    (ReplayedValue.entryOf(value) === entry ? ReplayedValue.versionOf(value) : undefined)

  /** What a static table answers, and a spelling that leads nowhere, is not in the history. */
  const judge = (entry: number, asked: string | undefined, latest: number, lookup: Lookup): void => {
    tally.answered[lookup.tier] += 1
    if (lookup.tier === "static") return
    if (lookup.entry === undefined) {
      const spelledOtherwise = asked !== undefined && asked !== entries[entry]!.key
      if (!spelledOtherwise && history.isStale(history.absence(entry, now()), latest)) tally.staleReads += 1
      return
    }
    const seen = versionOf(entry, lookup.entry.value)
    if (seen === undefined) tally.wrongReads += 1
    else if (history.isStale(seen, latest)) tally.staleReads += 1
  }

  const acknowledge = (write: number, as: Acknowledgement, expiresAt?: number): void => {
    if (as === "buffered") tally.bufferedWrites += 1
    history.acknowledge(write, as === "buffered" ? "buffered" : "stored", expiresAt)
  }

  const failed = (count: number) =>
    Effect.sync(() => {
      tally.failed += count
    })

  const numberOf = (collection: string, key: string): number => {
    const number = numbers.get(`${collection}/${key}`)
    if (number === undefined) throw new Error(`the workload has no entry ${collection}/${key}`)
    return number
  }

  const issue = (entry: number, value: Uint8Array): number => {
    const version = history.issue(entry, false)
    written.set(textOf(entry, value), version)
    return version
  }

  return {
    judge,
    acknowledge,
    versionOf,
    /** A store that tells on every read and write of a program that goes through it. */
    over: (store: Store["Type"]): Store["Type"] => ({
      ...store,
      get: (collection, key) =>
        Effect.suspend(() => {
          const entry = numberOf(collection.name, key)
          const latest = history.latest(entry)
          return store.get(collection, key).pipe(
            Effect.tap((lookup) => judge(entry, undefined, latest, lookup)),
            Effect.tapError(() => failed(1))
          )
        }),
      getMany: (collection, keys) =>
        Effect.suspend(() => {
          const asked = keys.map((key) => numberOf(collection.name, key))
          const latest = asked.map(history.latest)
          return store.getMany(collection, keys).pipe(
            Effect.tap((lookups) => {
              for (const [index, lookup] of lookups.entries()) judge(asked[index]!, undefined, latest[index]!, lookup)
            }),
            Effect.tapError(() => failed(keys.length))
          )
        }),
      set: (collection, key, value, options) =>
        Effect.suspend(() => {
          const version = issue(numberOf(collection.name, key), value)
          return store.set(collection, key, value, options).pipe(
            Effect.tap(({ acknowledged, expiresAt }) => acknowledge(version, acknowledged, expiresAt)),
            Effect.tapError(() => failed(1))
          )
        }),
      setMany: (collection, writes) =>
        Effect.suspend(() => {
          const versions = writes.map(({ key, value }) => issue(numberOf(collection.name, key), value))
          return Effect.tap(store.setMany(collection, writes), (results) => {
            for (const [index, result] of results.entries()) {
              if (result._tag === "Failed") tally.failed += 1
              else acknowledge(versions[index]!, result.value.acknowledged, result.value.expiresAt)
            }
          })
        })
    })
  }
}

/** A character a byte. */
const textOf = (entry: number, value: Uint8Array): string => `${entry} ${String.fromCharCode(...value)}`
