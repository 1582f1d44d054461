import * as Effect from "effect/Effect"
import { getMany, type Kv, type KvError, type KvListed } from "../../../services/kv/Kv.ts"
import { logicalKey, physicalKey } from "../../../services/kv/model/PhysicalKey.ts"
import type { Head } from "../../../services/migration/StoresOfRecord.ts"
import { decode, decodeListed, keyWithin } from "../../../services/packing/model/KvRecord.ts"
import { isCollectionName, reservedNames } from "../../../services/store/model/Collection.ts"
import { compareStamps, zeroStamp } from "../../../services/store/model/Entry.ts"

/**
 * What listed keys hold, values left where they are: the metadata tells it, but for the rare record that has it in
 * front of the value. Keys that no collection would use are passed over.
 */
export const makeKvHeads = (kv: Kv["Type"]) => {
  const readHeads = (names: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, Head>, KvError> =>
    names.length === 0
      ? Effect.succeed(new Map())
      : Effect.map(getMany(kv, names), (stored) => {
          const heads = new Map<string, Head>()
          for (const [name, record] of stored) {
            const { expiresAt, stamp, tags } = decode(record)
            const id = idOf(name, keyWithin(record))
            if (id !== undefined) heads.set(name, { id, version: stamp, expiresAt, tags })
          }
          return heads
        })

  return (listed: ReadonlyArray<KvListed>): Effect.Effect<ReadonlyArray<Head>, KvError> => {
    const told = listed.map(({ metadata }) => decodeListed(metadata))
    const unread = listed.filter(
      ({ name }, index) => told[index]!.stamp === undefined && logicalKey(name) !== undefined
    )
    return Effect.map(readHeads(unread.map(({ name }) => name)), (read) =>
      listed.flatMap(({ expiration, name }, index) => {
        const { expiresAt, key, stamp, tags } = told[index]!
        if (stamp === undefined) return read.get(name) ?? []
        const id = idOf(name, key)
        const foreign = compareStamps(stamp, zeroStamp) === 0 && expiration !== undefined
        return id === undefined
          ? []
          : [{ id, version: stamp, expiresAt: foreign ? expiration * 1000 : expiresAt, tags }]
      })
    )
  }
}

/** @param original the key where the physical one is a hash */
const idOf = (physical: string, original: string | undefined): string | undefined => {
  const behind = logicalKey(physical)
  const key = behind?.key ?? original
  if (behind === undefined || key === undefined) return undefined
  const { collection } = behind
  if (!isCollectionName(collection) || reservedNames.has(collection)) return undefined
  return physicalKey(collection, key) === physical ? `${collection}/${key}` : undefined
}
