import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import type { ReadOutcome, StampedWrite } from "../../services/batching/Batcher.ts"
import { type Kv, KvError } from "../../services/kv/Kv.ts"
import type { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { StoreStats } from "../../services/store/Store.ts"
import type { Address } from "../../services/tiers/ReadPath.ts"
import { type ListedHead, makeKvRecords } from "../packing/kvRecords.ts"
import type { Found } from "../packing/pageRecords.ts"

/** What was asked for, and what lay beside it. */
export interface FoundEach extends Pick<Found, "siblings"> {
  readonly outcomes: ReadonlyArray<ReadOutcome>
}

/** The entries of one namespace. */
export interface KvEntries {
  /**
   * One outcome for each address, and what lay beside those that are packed.
   *
   * @param maxBytes of values under keys of their own; pages are bounded by their own size
   * @param age `near`: what another isolate of this location has read within the collection's edge time will do
   */
  readonly readEach: (
    addresses: ReadonlyArray<Address>,
    maxBytes?: number,
    age?: 0 | "near"
  ) => Effect.Effect<FoundEach>
  /** One error, or undefined, per write, in the order given. */
  readonly writeMany: (
    writes: ReadonlyArray<StampedWrite>,
    now: number
  ) => Effect.Effect<ReadonlyArray<KvError | undefined>>
  readonly list: (
    collection: Collection,
    options: { readonly prefix?: string; readonly cursor?: string; readonly limit?: number }
  ) => Effect.Effect<{ readonly keys: ReadonlyArray<ListedHead>; readonly cursor: string | undefined }, KvError>
  readonly clear: (
    collection: Collection
  ) => Effect.Effect<{ readonly complete: boolean; readonly deleted: number }, KvError>
  readonly pageStats: () => StoreStats["pages"]
}

/**
 * After how long a batch begins no further write: 1,000 of them take 25 s at 150 ms each. It begins none either when as
 * many as there are connections have failed in a row: KV is failing, and each of the others would wait for its deadline.
 */
const longestMillis = 60_000

const notBegun = new KvError({ operation: "put", reason: "Unavailable", cause: "the batch had failed before" })

/** Dies for a packed collection: the Worker was composed of the wrong store. */
const unpacked = (collection: Collection): Effect.Effect<void> =>
  collection.policy.packed
    ? Effect.dieMessage(`the collection ${collection.name} is packed: only StoreKvPacked keeps entries in pages`)
    : Effect.void

/** Every entry under a key of its own. */
export const makeKvEntries = (kv: Kv["Type"], settings: Settings["Type"]): KvEntries => {
  const records = makeKvRecords(kv, settings)

  const write = ({ address, entry }: StampedWrite, now: number): Effect.Effect<void, KvError> =>
    Effect.zipRight(
      unpacked(address.collection),
      entry === undefined ? records.remove(address) : records.write(address, entry, now)
    )

  const readOwn = (addresses: ReadonlyArray<Address>, maxBytes?: number): Effect.Effect<ReadonlyArray<ReadOutcome>> => {
    const [first] = addresses
    return first !== undefined && addresses.length === 1
      ? Effect.map(Effect.either(records.read(first)), (one) => [Either.merge(one)])
      : records.readEach(addresses, maxBytes)
  }

  return {
    readEach: (addresses, maxBytes) =>
      Effect.zipRight(
        Effect.forEach(new Set(addresses.map(({ collection }) => collection)), unpacked, { discard: true }),
        Effect.map(readOwn(addresses, maxBytes), (outcomes) => ({ outcomes, siblings: [] }))
      ),

    /** As many at a time as there are connections, each with its own outcome. */
    writeMany: (writes, now) => {
      let failedInARow = 0
      const writeUnlessFailing = (one: StampedWrite): Effect.Effect<KvError | undefined> =>
        Effect.flatMap(Clock.currentTimeMillis, (at) => {
          if (failedInARow >= openConnections || at - now > longestMillis) return Effect.succeed(notBegun)
          return Effect.map(Effect.either(write(one, now)), (done) => {
            const error = Either.isLeft(done) ? done.left : undefined
            failedInARow = error?.reason === "Unavailable" ? failedInARow + 1 : 0
            return error
          })
        })
      return Effect.forEach(writes, writeUnlessFailing, { concurrency: openConnections })
    },

    list: (collection, options) => Effect.zipRight(unpacked(collection), records.list(collection, options)),

    clear: (collection) => Effect.zipRight(unpacked(collection), records.clear(collection)),

    pageStats: () => ({})
  }
}
