import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type DurableCache, DurableCacheError } from "../../../services/durable/DurableCache.ts"
import type { Beside, ShardWrite } from "../../../services/durable/Shard.ts"
import { Piggyback } from "../../../services/prefetch/Piggyback.ts"
import type { SettingsValues } from "../../../services/settings/Settings.ts"
import { compareStamps, type Entry, type Stamp } from "../../../services/store/model/Entry.ts"
import { StoreError } from "../../../services/store/Store.ts"
import { type Address, type Answer, addressOf, type Outcome, type ReadPath } from "../../../services/tiers/ReadPath.ts"
import { makeInvocationBatch } from "../../batching/invocationBatch.ts"
import type { makeParkedDelivery } from "./parkedDelivery.ts"
import type { makeParkedWrites } from "./parkedWrites.ts"
import { piggybackOf } from "./piggyback.ts"
import type { makeSavedEntries } from "./savedEntries.ts"

/**
 * What the shards say of entries. Where one cannot tell, the latest that is known of an entry elsewhere is told in its
 * place: what memory still holds, what this isolate has parked, what the newest snapshot holds. Nobody but the shard, and
 * who has parked a delete, can say that there is none.
 */
export const makeShardReads = (parts: {
  readonly durable: DurableCache["Type"]
  readonly parked: ReturnType<typeof makeParkedWrites>
  readonly delivery: ReturnType<typeof makeParkedDelivery>
  readonly saved: ReturnType<typeof makeSavedEntries>
  readonly readPath: ReadPath["Type"]
  readonly collections: SettingsValues["collections"]
  /** A number that no change of this isolate begins or is under way between two equal ones of; undefined while one is. */
  readonly quiet: () => number | undefined
}) => {
  const { collections, delivery, durable, parked, quiet, readPath, saved } = parts
  const together = makeInvocationBatch<Address, Outcome, never>()
  const lane = {}

  const parkedOf = (id: string): Effect.Effect<Known | undefined> => {
    const own = parked.get(id)
    if (own === undefined) return Effect.succeed(undefined)
    if (own.write !== undefined) return Effect.succeed(knownBy(own.write))
    return Effect.map(delivery.readBack(own.name), (writes) => {
      const write = writes.find((one) => one.id === id && compareStamps(one.stamp, own.stamp) === 0)
      return write && knownBy(write)
    })
  }

  const heldOf = (address: Address, now: number): Known | undefined => {
    const entry = readPath.known(address, now)?.entry
    return entry && { entry, stamp: entry.stamp }
  }

  /** @param causes why the shard of each could not tell */
  const elsewhere = (
    addresses: ReadonlyArray<Address>,
    causes: ReadonlyArray<DurableCacheError | undefined>,
    readAt: number,
    maxBytes?: number
  ): Effect.Effect<ReadonlyArray<Outcome>> =>
    Effect.gen(function* () {
      const own = yield* Effect.forEach(addresses, ({ id }) => parkedOf(id))
      const rest = addresses.filter((_, index) => own[index] === undefined).map(({ id }) => id)
      const entries = yield* saved(rest, maxBytes)
      const inSnapshot = new Map(rest.map((id, index) => [id, entries[index]]))
      return addresses.map((address, index): Outcome => {
        const entry = inSnapshot.get(address.id)
        if (entry === "left out") return leftOut(causes[index])
        const latest = [own[index], heldOf(address, readAt), entry && { entry, stamp: entry.stamp }].reduce(later)
        return latest === undefined
          ? new StoreError({ operation: "get", reason: "Unavailable", retryAfter: 5, cause: causes[index] })
          : { observation: { entry: latest.entry, readAt }, tier: "kv", keep: false, stale: true }
      })
    })

  /** Neighbours in a page, for memory, unless a change of this isolate came between: they were not asked for under leases. */
  const besides = (addresses: ReadonlyArray<Address>, readAt: number) => {
    if (!addresses.some(({ collection }) => collection.policy.packed && collection.millis.memoryTtl > 0))
      return undefined
    const began = quiet()
    return (found: ReadonlyArray<Beside>): void => {
      if (began === undefined || quiet() !== began) return
      const known = new Map(addresses.map(({ collection }) => [collection.name, collection]))
      for (const { entry, id } of found) {
        const slash = id.indexOf("/")
        const collection = known.get(id.slice(0, slash))
        if (collection === undefined || parked.get(id) !== undefined) continue
        readPath.offer(addressOf(collection, id.slice(slash + 1)), { entry, readAt }, readAt)
      }
    }
  }

  const many = (addresses: ReadonlyArray<Address>, maxBytes?: number): Effect.Effect<ReadonlyArray<Outcome>> =>
    Effect.gen(function* () {
      const readAt = yield* Clock.currentTimeMillis
      const piggyback = yield* Piggyback
      const waiting = yield* delivery.ahead(addresses.map(({ id }) => id))
      const asked = waiting.size === 0 ? addresses : addresses.filter(({ id }) => !waiting.has(id))
      const ids = asked.map(({ id }) => id)
      const extra = piggybackOf(readPath, collections, asked, piggyback, readAt)
      const asking = extra.ids.filter((id) => parked.get(id) === undefined)
      const told = yield* Effect.ensuring(
        Effect.tap(durable.getMany(ids, asking, maxBytes, besides(asked, readAt)), (entries) =>
          Effect.sync(() => extra.offer(new Map(asking.map((id, index) => [id, entries[ids.length + index]]))))
        ),
        Effect.sync(extra.release)
      )
      yield* delivery.behind(ids.filter((_, index) => !(told[index] instanceof DurableCacheError)))
      const entries = new Map(ids.map((id, index) => [id, told[index]]))
      const isUntold = ({ id }: Address): boolean => {
        const entry = entries.get(id)
        return !entries.has(id) || (entry instanceof DurableCacheError && entry.reason !== "LeftOut")
      }
      const untold = addresses.filter(isUntold)
      const causes = untold.map(({ id }) => waiting.get(id) ?? (entries.get(id) as DurableCacheError | undefined))
      if (untold.length > 0) yield* Effect.logDebug("a shard cannot tell", causes)
      const instead = yield* elsewhere(untold, causes, readAt, maxBytes)
      let next = 0
      return addresses.map((address): Outcome => {
        if (isUntold(address)) return instead[next++]!
        const entry = entries.get(address.id)
        return entry instanceof DurableCacheError
          ? leftOut(entry)
          : { observation: { entry, readAt }, tier: "durable", keep: true }
      })
    })

  /** What one invocation asks at once is asked together, each entry once; others' fibers are never waited for. */
  const joined = (addresses: ReadonlyArray<Address>): Effect.Effect<ReadonlyArray<Outcome>> =>
    together(lane, addresses, (all) => {
      const distinct = [...new Map(all.map((address) => [address.id, address])).values()]
      return Effect.map(many(distinct), (outcomes) => {
        const byId = new Map(distinct.map(({ id }, index) => [id, outcomes[index]!]))
        return all.map(({ id }) => byId.get(id)!)
      })
    })

  return {
    /** Others that read at once do not share a bound that they did not ask for. */
    many: (addresses: ReadonlyArray<Address>, maxBytes?: number) =>
      maxBytes === undefined ? joined(addresses) : many(addresses, maxBytes),
    one: (address: Address): Effect.Effect<Answer, StoreError> =>
      Effect.flatMap(joined([address]), ([outcome]) =>
        outcome instanceof StoreError ? Effect.fail(outcome) : Effect.succeed(outcome!)
      )
  }
}

const leftOut = (cause: unknown) => new StoreError({ operation: "get", reason: "Unavailable", retryAfter: 1, cause })

/** What an isolate knows of an id without its shard; no entry: that it was deleted. */
interface Known {
  readonly entry: Entry | undefined
  readonly stamp: Stamp
}

const knownBy = ({ body, stamp }: ShardWrite): Known => ({ entry: body && { ...body, stamp }, stamp })

const later = (a: Known | undefined, b: Known | undefined): Known | undefined =>
  b === undefined || (a !== undefined && compareStamps(a.stamp, b.stamp) >= 0) ? a : b
