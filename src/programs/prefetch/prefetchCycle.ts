import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { DurableCache, DurableCacheError } from "../../services/durable/DurableCache.ts"
import { LearnedState, type Saving } from "../../services/prefetch/LearnedState.ts"
import { Prefetch } from "../../services/prefetch/Prefetch.ts"
import { Settings } from "../../services/settings/Settings.ts"
import { zeroStamp } from "../../services/store/model/Entry.ts"
import { type Address, ReadPath } from "../../services/tiers/ReadPath.ts"

export interface PrefetchCycle {
  /** Whether there was something that others had learned. */
  readonly loaded: boolean
  readonly saving: Saving
  /** Entries brought into memory for the quarter of an hour that begins. */
  readonly warmed: number
}

/** Ids that one cycle warms: one RPC to each of their objects. */
const warmedIds = 64

/** The cron fires at the beginning of a quarter of an hour, or shortly before. */
const ahead = 60_000

/**
 * What is learned is shared with the other isolates and outlives this one; then memory takes in what is usually asked
 * for in the quarter of an hour that begins. Only from the objects, where it costs rows and no KV operation.
 */
export const prefetchCycle: Effect.Effect<PrefetchCycle, never, DurableCache | ReadPath | Settings> = Effect.gen(
  function* () {
    const learned = yield* LearnedState
    const loaded = yield* learned.load
    const saving = yield* learned.save
    const warmed = yield* warm
    return { loaded, saving, warmed }
  }
)

const warm: Effect.Effect<number, never, DurableCache | ReadPath | Settings> = Effect.gen(function* () {
  const { usual } = yield* Prefetch
  const { collections, durableMode } = yield* Settings
  const durable = yield* DurableCache
  const readPath = yield* ReadPath
  if (!durableMode || !durable.enabled) return 0
  const now = yield* Clock.currentTimeMillis
  const wanted = usual(now + ahead).flatMap((id): ReadonlyArray<Address> => {
    const slash = id.indexOf("/")
    const collection = collections.get(id.slice(0, slash))
    if (collection === undefined || collection.millis.memoryTtl <= 0) return []
    const address = { collection, key: id.slice(slash + 1), id }
    return readPath.known(address, now) === undefined ? [address] : []
  })
  const addresses = wanted.slice(0, warmedIds)
  if (addresses.length === 0) return 0
  const leases = addresses.map((address) => readPath.lease(address, zeroStamp))
  return yield* durable.getMany(addresses.map(({ id }) => id)).pipe(
    Effect.map((entries) => {
      let warmed = 0
      for (const [index, address] of addresses.entries()) {
        const entry = entries[index]
        if (entry === undefined || entry instanceof DurableCacheError || leases[index]!.overtaken(entry.tags)) continue
        readPath.offer(address, { entry, readAt: now }, now, "predicted")
        warmed += 1
      }
      return warmed
    }),
    Effect.ensuring(
      Effect.sync(() => {
        for (const lease of leases) lease.release()
      })
    )
  )
})
