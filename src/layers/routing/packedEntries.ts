import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { StampedWrite } from "../../services/batching/Batcher.ts"
import { type Kv, KvError } from "../../services/kv/Kv.ts"
import type { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { EdgeCache } from "../../services/tiers/EdgeCache.ts"
import type { Address } from "../../services/tiers/ReadPath.ts"
import { makeKvRecords } from "../packing/kvRecords.ts"
import { makeNearPages } from "../packing/nearPages.ts"
import { type Found, makePageRecords } from "../packing/pageRecords.ts"
import { type FoundEach, type KvEntries, makeKvEntries } from "./kvEntries.ts"

/** For how long a collection that was found without pages is taken to have none, where it is packed no more. Milliseconds. */
const plainMillis = 600_000

/**
 * The entries of one namespace, packed collections in pages and the others under keys of their own.
 *
 * @param edge where a location remembers the pages that its isolates have read
 */
export const makePackedEntries = (
  kv: Kv["Type"],
  settings: Settings["Type"],
  edge?: EdgeCache["Type"],
  maxPageBytes?: number
) => {
  const ownKeys = makeKvEntries(kv, settings)
  const records = makeKvRecords(kv, settings)
  const pages = makePageRecords(kv, settings, records, maxPageBytes, edge && makeNearPages(edge, settings))

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

  const readLooked = (
    addresses: ReadonlyArray<Address>,
    maxBytes: number | undefined,
    age: 0 | "near"
  ): Effect.Effect<FoundEach> => {
    const { packed, plain } = byPacking(addresses)
    if (packed.length === 0) return ownKeys.readEach(plain, maxBytes)
    if (plain.length === 0) return readPacked(packed, age)
    return Effect.zipWith(
      ownKeys.readEach(plain, maxBytes),
      readPacked(packed, age),
      (own, { outcomes, siblings }) => {
        let [nextOwn, nextPacked] = [0, 0]
        return {
          outcomes: addresses.map(({ collection }) =>
            isInPages(collection) ? outcomes[nextPacked++]! : own.outcomes[nextOwn++]!
          ),
          siblings
        }
      },
      { concurrent: true }
    )
  }

  const readPacked = (addresses: ReadonlyArray<Address>, age: 0 | "near"): Effect.Effect<FoundEach> =>
    Effect.match(pages.readMany(addresses, age), {
      onFailure: (error) => ({ outcomes: addresses.map(() => error), siblings: [] }),
      onSuccess: ({ observations, siblings }) => ({ outcomes: observations, siblings })
    })

  const readEach: KvEntries["readEach"] = (addresses, maxBytes, age = 0) =>
    Effect.matchEffect(lookAtAll(addresses), {
      onFailure: (error) => Effect.succeed({ outcomes: addresses.map(() => error), siblings: [] }),
      onSuccess: () => readLooked(addresses, maxBytes, age)
    })

  const writeMany: KvEntries["writeMany"] = (writes, now) =>
    Effect.gen(function* () {
      const looked = yield* Effect.either(lookAtAll(writes.map(({ address }) => address)))
      if (Either.isLeft(looked)) return writes.map(() => looked.left)
      const { packed, plain } = byPacking(writes)
      const outcomes = new Map<StampedWrite, KvError | undefined>()
      const note = (own: ReadonlyArray<StampedWrite>, errors: ReadonlyArray<KvError | undefined>): void => {
        for (const [index, write] of own.entries()) outcomes.set(write, errors[index])
      }
      note(plain, yield* ownKeys.writeMany(plain, now))
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
    pageStats: pages.stats,

    /** A collection without pages, or one that has been packed only now, lies under keys of its own. */
    list: (collection, options) =>
      Effect.flatMap(
        Effect.flatMap(look(collection), (inPages) =>
          inPages ? pages.list(collection, options) : Effect.succeed(undefined)
        ),
        (page) => (page === undefined ? records.list(collection, options) : Effect.succeed(page))
      ),

    clear: (collection) =>
      Effect.gen(function* () {
        const inPages = (yield* look(collection)) ? yield* pages.clear(collection) : { deleted: 0, complete: true }
        if (!inPages.complete) return inPages
        const own = yield* Effect.catchIf(
          records.clear(collection),
          ({ reason }) => reason === "InvocationLimit" && inPages.deleted > 0,
          () => Effect.succeed({ deleted: 0, complete: false })
        )
        return { deleted: inPages.deleted + own.deleted, complete: own.complete }
      })
  } satisfies KvEntries & Record<string, unknown>
}
