import { DurableCacheError } from "../../../services/durable/DurableCache.ts"
import type { PiggybackService } from "../../../services/prefetch/Piggyback.ts"
import type { SettingsValues } from "../../../services/settings/Settings.ts"
import { type Entry, zeroStamp } from "../../../services/store/model/Entry.ts"
import { type Address, addressOf, type ReadPath } from "../../../services/tiers/ReadPath.ts"

/** The group that predictions are judged by among the memory tier's siblings. */
const group = "predicted"

/**
 * Predicted entries that come along with those asked for. They are offered to memory as what the store of record said
 * when it was asked, unless a write has overtaken them since.
 */
export const piggybackOf = (
  readPath: ReadPath["Type"],
  collections: SettingsValues["collections"],
  asked: ReadonlyArray<Address>,
  piggyback: PiggybackService,
  readAt: number
) => {
  const addresses = piggyback.take().flatMap((id): ReadonlyArray<Address> => {
    const slash = id.indexOf("/")
    const collection = collections.get(id.slice(0, slash))
    return collection === undefined || asked.some((address) => address.id === id)
      ? []
      : [addressOf(collection, id.slice(slash + 1))]
  })
  const leases = addresses.map((address) => readPath.lease(address, zeroStamp))
  return {
    ids: addresses.map(({ id }) => id),
    /** @param entries by id, as far as they came */
    offer: (entries: ReadonlyMap<string, Entry | DurableCacheError | undefined>): void => {
      for (const [index, address] of addresses.entries()) {
        const entry = entries.get(address.id)
        if (entry === undefined || entry instanceof DurableCacheError) continue
        piggyback.carried(1, entry.value.byteLength)
        if (!leases[index]!.overtaken(entry.tags)) readPath.offer(address, { entry, readAt }, readAt, group)
      }
    },
    release: (): void => {
      for (const lease of leases) lease.release()
    }
  }
}
