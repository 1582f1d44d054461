import * as Effect from "effect/Effect"
import type { KvError } from "../../../services/kv/Kv.ts"
import { isElsewhere, keeper, type PageRow } from "../../../services/packing/model/Page.ts"
import type { Collection } from "../../../services/store/model/Collection.ts"
import type { Stamp } from "../../../services/store/model/Entry.ts"
import { addressOf } from "../../../services/tiers/ReadPath.ts"
import type { makeKvRecords } from "../kvRecords.ts"

export interface PackedHead {
  readonly key: string
  readonly version: Stamp
  readonly expiresAt: number
  readonly tags: ReadonlyArray<string>
}

/** What rows hold, but for deleted ones, in their order; those with a KV key of their own are read for it. */
export const makePackedHeads =
  (records: ReturnType<typeof makeKvRecords>) =>
  (collection: Collection, all: ReadonlyArray<PageRow>): Effect.Effect<ReadonlyArray<PackedHead>, KvError> => {
    const rows = all.filter(({ key }) => key !== keeper.key)
    const outside = rows.filter(isElsewhere).map(({ key }) => addressOf(collection, key))
    return Effect.map(outside.length === 0 ? Effect.succeed([]) : records.readMany(outside), (observations) => {
      const own = new Map(outside.map(({ key }, index) => [key, observations[index]!.entry]))
      return rows.flatMap((row) => {
        const entry = row.body ?? own.get(row.key)
        if (entry === undefined) return []
        const version = own.get(row.key)?.stamp ?? row.version
        return [{ key: row.key, version, expiresAt: entry.expiresAt, tags: entry.tags }]
      })
    })
  }
