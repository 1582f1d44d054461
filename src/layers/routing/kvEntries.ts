import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import type { ReadOutcome, StampedWrite } from "../../services/batching/Batcher.ts"
import { type Kv, KvError } from "../../services/kv/Kv.ts"
import type { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Address } from "../../services/tiers/ReadPath.ts"
import { makeKvRecords } from "../packing/kvRecords.ts"
import { type Found, makePageRecords } from "../packing/pageRecords.ts"

/** What was asked for, and what lay beside it. */
export interface FoundEach extends Pick<Found, "siblings"> {
  readonly outcomes: ReadonlyArray<ReadOutcome>
}

type ListOptions = { readonly prefix?: string; readonly cursor?: string; readonly limit?: number }

/**
 * After how long a batch begins no further write: 1,000 of them take 25 s at 150 ms each. It begins none either when as
 * many as there are connections have failed in a row: KV is ill, and each of the others would wait for its deadline.
 */
const longestMillis = 60_000

/** For how long a collection that was found without pages is taken to have none, where it is packed no more. Milliseconds. */
const plainMillis = 600_000

const notBegun = new KvError({ operation: "put", reason: "Unavailable", cause: "the batch had failed before" })

/** The entries of one namespace, packed collections in pages and the others under keys of their own. */
export const makeKvEntries = (
  kv: Kv["Type"],
  settings: Settings["Type"],
  maxPageBytes?: number,
  near?: Parameters<typeof makePageRecords>[4]
) => {
  const records = makeKvRecords(kv, settings)
  const pages = makePageRecords(kv, settings, records, maxPageBytes, near)

  /** Collections that are packed no more and have pages, and when others were found to have none. */
  const leaving = new Set<string>()
  const plainAt = new Map<string, number>()

  const isInPages = ({ name, policy }: Collection): boolean => policy.packed || leaving.has(name)

  /** Whether the entries of a collection lie in pages: where it is packed no more, at the cost of a read now and then. */
  const look = (collection: Collection): Effect.Effect<boolean, KvError> =>
    Effect.suspend(() => {
      const { name, policy } = collection
      if (policy.packed !== false) {
        leaving.delete(name)
        plainAt.delete(name)
      }
      if (policy.packed !== false || leaving.has(name)) return Effect.succeed(isInPages(collection))
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (now - (plainAt.get(name) ?? Number.NEGATIVE_INFINITY) < plainMillis) return Effect.succeed(false)
        return Effect.tap(pages.exists(collection), (exists) =>
          Effect.sync(() => (exists ? leaving.add(name) : plainAt.set(name, now)))
        )
      })
    })

  const lookAtAll = (addresses: ReadonlyArray<Address>): Effect.Effect<void, KvError> => {
    const told = addresses.filter(({ collection }) => collection.policy.packed !== undefined)
    if (told.length === 0) return Effect.void
    return Effect.forEach(new Set(told.map(({ collection }) => collection)), look, { discard: true })
  }

  const byPacking = <A extends { readonly address: Address } | Address>(items: ReadonlyArray<A>) => {
    const packed: Array<A> = []
    const plain: Array<A> = []
    for (const item of items) {
      const { collection } = "address" in item ? item.address : item
      ;(isInPages(collection) ? packed : plain).push(item)
    }
    return { packed, plain }
  }

  /**
   * One outcome for each address, and what lay beside those that are packed.
   *
   * @param maxBytes of values under keys of their own; pages are bounded by their own size
   */
  const readEach = (
    addresses: ReadonlyArray<Address>,
    maxBytes?: number,
    age: 0 | "near" = 0
  ): Effect.Effect<FoundEach> =>
    Effect.matchEffect(lookAtAll(addresses), {
      onFailure: (error) => Effect.succeed({ outcomes: addresses.map(() => error), siblings: [] }),
      onSuccess: () => readLooked(addresses, maxBytes, age)
    })

  const readLooked = (
    addresses: ReadonlyArray<Address>,
    maxBytes: number | undefined,
    age: 0 | "near"
  ): Effect.Effect<FoundEach> => {
    const { packed, plain } = byPacking(addresses)
    if (packed.length === 0) return Effect.map(readPlain(plain, maxBytes), (outcomes) => ({ outcomes, siblings: [] }))
    if (plain.length === 0) return readPacked(packed, age)
    return Effect.zipWith(
      readPlain(plain, maxBytes),
      readPacked(packed, age),
      (own, { outcomes, siblings }) => {
        let [nextOwn, nextPacked] = [0, 0]
        return {
          outcomes: addresses.map(({ collection }) =>
            isInPages(collection) ? outcomes[nextPacked++]! : own[nextOwn++]!
          ),
          siblings
        }
      },
      { concurrent: true }
    )
  }

  const readPlain = (
    addresses: ReadonlyArray<Address>,
    maxBytes?: number
  ): Effect.Effect<ReadonlyArray<ReadOutcome>> =>
    addresses.length === 1
      ? Effect.map(Effect.either(records.read(addresses[0]!)), (one) => [Either.merge(one)])
      : records.readEach(addresses, maxBytes)

  const readPacked = (addresses: ReadonlyArray<Address>, age: 0 | "near"): Effect.Effect<FoundEach> =>
    Effect.match(pages.readMany(addresses, age), {
      onFailure: (error) => ({ outcomes: addresses.map(() => error), siblings: [] }),
      onSuccess: ({ observations, siblings }) => ({ outcomes: observations, siblings })
    })

  const writeOne = ({ address, entry }: StampedWrite, now: number): Effect.Effect<KvError | undefined> =>
    Effect.map(
      Effect.either(entry === undefined ? records.remove(address) : records.write(address, entry, now)),
      Either.match({ onLeft: (error) => error, onRight: () => undefined })
    )

  /** As many at a time as there are connections, each with its own outcome. */
  const writePlain = (writes: ReadonlyArray<StampedWrite>, now: number) => {
    let failedInARow = 0
    const write = (one: StampedWrite) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        failedInARow >= openConnections || at - now > longestMillis
          ? Effect.succeed(notBegun)
          : Effect.tap(writeOne(one, now), (error) =>
              Effect.sync(() => {
                failedInARow = error?.reason === "Unavailable" ? failedInARow + 1 : 0
              })
            )
      )
    return Effect.forEach(writes, write, { concurrency: openConnections })
  }

  const writeMany = (
    writes: ReadonlyArray<StampedWrite>,
    now: number
  ): Effect.Effect<ReadonlyArray<KvError | undefined>> =>
    Effect.gen(function* () {
      const looked = yield* Effect.either(lookAtAll(writes.map(({ address }) => address)))
      if (Either.isLeft(looked)) return writes.map(() => looked.left)
      const { packed, plain } = byPacking(writes)
      const outcomes = new Map<StampedWrite, KvError | undefined>()
      const note = (own: ReadonlyArray<StampedWrite>, errors: ReadonlyArray<KvError | undefined>): void => {
        for (const [index, write] of own.entries()) outcomes.set(write, errors[index])
      }
      note(plain, yield* writePlain(plain, now))
      for (const collection of new Set(packed.map(({ address }) => address.collection))) {
        const own = packed.filter(({ address }) => address.collection === collection)
        note(own, yield* pages.writeMany(collection, own, now))
      }
      return writes.map((write) => outcomes.get(write))
    })

  return {
    readEach,

    /** The same, all or none. */
    readMany: (addresses: ReadonlyArray<Address>): Effect.Effect<Found, KvError> =>
      Effect.flatMap(readEach(addresses), ({ outcomes, siblings }) =>
        Effect.map(
          Effect.forEach(outcomes, (outcome) =>
            outcome instanceof KvError ? Effect.fail(outcome) : Effect.succeed(outcome)
          ),
          (observations) => ({ observations, siblings })
        )
      ),

    writeMany,
    pages,

    list: (collection: Collection, options: ListOptions) =>
      Effect.flatMap(look(collection), (inPages) =>
        inPages
          ? Effect.flatMap(pages.list(collection, options), (page) =>
              page === undefined ? records.list(collection, options) : Effect.succeed(page)
            )
          : records.list(collection, options)
      ),

    clear: (collection: Collection) =>
      Effect.flatMap(look(collection), (inPages) =>
        inPages
          ? Effect.flatMap(pages.clear(collection), (inPages) =>
              Effect.map(records.clear(collection), ({ complete, deleted }) => ({
                complete,
                deleted: deleted + inPages
              }))
            )
          : records.clear(collection)
      )
  }
}
