import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { openConnections } from "../../../services/base/model/OpenConnections.ts"
import type { StampedWrite } from "../../../services/batching/Batcher.ts"
import type { Kv, KvError } from "../../../services/kv/Kv.ts"
import type { Settings } from "../../../services/settings/Settings.ts"
import type { Collection } from "../../../services/store/model/Collection.ts"
import type { Address } from "../../../services/tiers/ReadPath.ts"
import { makeKvRecords } from "../../packing/internal/kvRecords.ts"
import { type Found, makePageRecords } from "../../packing/internal/pageRecords.ts"

type ListOptions = { readonly prefix?: string; readonly cursor?: string; readonly limit?: number }

/** The entries of one namespace, packed collections in pages and the others under keys of their own. */
export const makeKvEntries = (kv: Kv["Type"], settings: Settings["Type"], maxPageBytes?: number) => {
  const records = makeKvRecords(kv, settings)
  const pages = makePageRecords(kv, settings, records, maxPageBytes)

  const byPacking = <A extends { readonly address: Address } | Address>(items: ReadonlyArray<A>) => {
    const packed: Array<A> = []
    const plain: Array<A> = []
    for (const item of items) {
      const { collection } = "address" in item ? item.address : item
      ;(collection.policy.packed ? packed : plain).push(item)
    }
    return { packed, plain }
  }

  const readMany = (addresses: ReadonlyArray<Address>): Effect.Effect<Found, KvError> => {
    const { packed, plain } = byPacking(addresses)
    if (plain.length === addresses.length) {
      return Effect.map(
        addresses.length === 1 ? Effect.map(records.read(addresses[0]!), (one) => [one]) : records.readMany(addresses),
        (observations) => ({ observations, siblings: [] })
      )
    }
    if (packed.length === addresses.length) return pages.readMany(packed)
    return Effect.zipWith(
      records.readMany(plain),
      pages.readMany(packed),
      (own, { observations, siblings }) => {
        let [nextOwn, nextPacked] = [0, 0]
        return {
          observations: addresses.map(({ collection }) =>
            collection.policy.packed ? observations[nextPacked++]! : own[nextOwn++]!
          ),
          siblings
        }
      },
      { concurrent: true }
    )
  }

  const writeOne = ({ address, entry }: StampedWrite, now: number): Effect.Effect<KvError | undefined> =>
    Effect.map(
      Effect.either(entry === undefined ? records.remove(address) : records.write(address, entry, now)),
      Either.match({ onLeft: (error) => error, onRight: () => undefined })
    )

  const writeMany = (
    writes: ReadonlyArray<StampedWrite>,
    now: number
  ): Effect.Effect<ReadonlyArray<KvError | undefined>> =>
    Effect.gen(function* () {
      const { packed, plain } = byPacking(writes)
      const outcomes = new Map<StampedWrite, KvError | undefined>()
      const note = (own: ReadonlyArray<StampedWrite>, errors: ReadonlyArray<KvError | undefined>): void => {
        for (const [index, write] of own.entries()) outcomes.set(write, errors[index])
      }
      note(plain, yield* Effect.forEach(plain, (write) => writeOne(write, now), { concurrency: openConnections }))
      for (const collection of new Set(packed.map(({ address }) => address.collection))) {
        const own = packed.filter(({ address }) => address.collection === collection)
        note(own, yield* pages.writeMany(collection, own, now))
      }
      return writes.map((write) => outcomes.get(write))
    })

  return {
    readMany,
    writeMany,
    pages,

    list: (collection: Collection, options: ListOptions) =>
      collection.policy.packed
        ? Effect.flatMap(pages.list(collection, options), (page) =>
            page === undefined ? records.list(collection, options) : Effect.succeed(page)
          )
        : records.list(collection, options),

    clear: (collection: Collection) =>
      collection.policy.packed
        ? Effect.flatMap(pages.clear(collection), (inPages) =>
            Effect.map(records.clear(collection), ({ complete, deleted }) => ({
              complete,
              deleted: deleted + inPages
            }))
          )
        : records.clear(collection)
  }
}
