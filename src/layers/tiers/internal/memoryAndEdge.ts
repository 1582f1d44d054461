import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { Background, spend } from "../../../services/base/Background.ts"
import { breakerLimits } from "../../../services/base/model/Breaker.ts"
import { openConnections } from "../../../services/base/model/OpenConnections.ts"
import type { TierSettings } from "../../../services/settings/Settings.ts"
import { compareStamps, type Entry, type Observation, zeroStamp } from "../../../services/store/model/Entry.ts"
import { tagBytes } from "../../../services/store/model/EntryBytes.ts"
import { freshUntil, jittered } from "../../../services/store/model/Freshness.ts"
import type { EdgeCache, EdgeCacheError } from "../../../services/tiers/EdgeCache.ts"
import { type MemoryTier, slotBytes } from "../../../services/tiers/MemoryTier.ts"
import type { Address, Answer, Lease } from "../../../services/tiers/ReadPath.ts"
import { makeGuard } from "../../base/guard.ts"
import type { makeLocalInvalidations } from "./localInvalidations.ts"
import { makeRecentEdgeWrites } from "./recentEdgeWrites.ts"

/** How long after a write KV may still answer with what was there before: 60 s "or more", so twice that. */
const lateReadMillis = 120_000

/** What memory and edge hold, how they are filled, and how long each may answer. */
export const makeMemoryAndEdge = (
  settings: TierSettings,
  memory: MemoryTier["Type"],
  edge: EdgeCache["Type"],
  weigh: (value: Uint8Array) => number,
  marks: ReturnType<typeof makeLocalInvalidations>
) => {
  const guard = makeGuard<EdgeCacheError>(settings.edgeDeadline, breakerLimits(settings), () => true)
  const recentEdgeWrites = makeRecentEdgeWrites()
  let edgeSkipped = 0

  const ttlIn = (tier: "memory" | "edge", { collection }: Address, observation: Observation): number => {
    const { edgeTtl, memoryTtl, negativeTtl } = collection.millis
    const whole = tier === "memory" ? memoryTtl : edgeTtl
    const ttl = observation.entry === undefined ? Math.min(negativeTtl, whole) : whole
    return collection.policy.jitter === 0 ? ttl : jittered(ttl, collection.policy.jitter, observation.draw ?? 0)
  }

  const untilIn = (tier: "memory" | "edge", address: Address, observation: Observation): number =>
    freshUntil(observation, ttlIn(tier, address, observation))

  const onEdge = <A>(effect: Effect.Effect<A, EdgeCacheError>, otherwise: A): Effect.Effect<A> =>
    Effect.flatMap(Background, (background) => {
      if (!spend(background, "edge", settings.edgeOperations)) {
        edgeSkipped += 1
        return Effect.succeed(otherwise)
      }
      return Effect.catchAll(guard.call(effect), (error) => {
        edgeSkipped += 1
        return Effect.as(Effect.logDebug("edge cache skipped", error), otherwise)
      })
    })

  const usesEdge = (address: Address): boolean => edge.enabled && address.collection.millis.edgeTtl > 0

  /** What edge held before a write here overtook the read is no answer. */
  const matchOnEdge = (address: Address, lease: Lease): Effect.Effect<Option.Option<Observation>> =>
    usesEdge(address)
      ? Effect.zipWith(onEdge(edge.match(address.id), Option.none()), Clock.currentTimeMillis, (found, now) =>
          Option.filter(
            found,
            (observation) =>
              now < untilIn("edge", address, observation) &&
              !lease.overtaken([]) &&
              !recentEdgeWrites.isOld(address.id, observation) &&
              marks.isCurrent(address.collection, observation)
          )
        )
      : Effect.succeedNone

  const weightOf = (entry: Entry | undefined): number =>
    entry === undefined ? 0 : weigh(entry.value) + tagBytes(entry.tags)

  /** @param atLeast milliseconds that it is retained in any case, to hold a stale view of KV against it */
  const keepInMemory = (address: Address, observation: Observation, now: number, atLeast = 0): void => {
    const { graceFor, memoryTtl, staleFor } = address.collection.millis
    if (memoryTtl <= 0) return
    const bytes = slotBytes(address.id, weightOf(observation.entry))
    const useful = untilIn("memory", address, observation) + Math.max(staleFor, graceFor)
    const retainUntil = Math.max(useful, now + atLeast)
    memory.set(address.id, observation, { bytes, retainUntil, cost: 1 }, now)
  }

  const keepOnEdge = (address: Address, observation: Observation): Effect.Effect<void> =>
    usesEdge(address)
      ? Effect.flatMap(Background, (background) =>
          background.run(onEdge(edge.put(address.id, observation, untilIn("edge", address, observation)), undefined))
        )
      : Effect.void

  const dropFromEdge = (address: Address): Effect.Effect<void> =>
    usesEdge(address)
      ? Effect.flatMap(Background, (background) => background.run(onEdge(edge.delete(address.id), undefined)))
      : Effect.void

  const noteOnEdge = (address: Address, observation: Observation): void => {
    const until = observation.readAt + address.collection.millis.edgeTtl
    if (usesEdge(address)) recentEdgeWrites.note(address.id, observation, until)
  }

  /**
   * KV may answer with less than this isolate has seen: while a write propagates, the later stamp is the truth. Of two
   * loads, the one that began later is, and is as old as it was.
   */
  const reconciled = (address: Address, observation: Observation, tier: Answer["tier"], now: number): Observation => {
    const held = memory.peek(address.id, now)
    return held?.entry !== undefined &&
      observation.entry !== undefined &&
      compareStamps(held.entry.stamp, observation.entry.stamp) > 0 &&
      now - held.entry.stamp.wall < lateReadMillis &&
      now < held.entry.expiresAt &&
      marks.isCurrent(address.collection, held)
      ? tier === "loader"
        ? held
        : { ...observation, entry: held.entry }
      : observation
  }

  const current = ({ collection }: Address, held: Observation | undefined): Observation | undefined =>
    held !== undefined && marks.isCurrent(collection, held) ? held : undefined

  const withDraw = (address: Address, observation: Observation): Effect.Effect<Observation> =>
    address.collection.policy.jitter === 0 || observation.draw !== undefined
      ? Effect.succeed(observation)
      : Effect.map(Random.next, (draw) => ({ ...observation, draw }))

  return {
    untilIn,
    ttlIn,
    edgeSkipped: () => edgeSkipped,
    edgeBreaker: guard.state,
    standBefore: (address: Address): boolean => address.collection.millis.memoryTtl > 0 || usesEdge(address),

    inMemory: (address: Address, now: number): Observation | undefined => current(address, memory.get(address.id, now)),

    /** The same without counting an access. */
    peekInMemory: (address: Address, now: number): Observation | undefined =>
      current(address, memory.peek(address.id, now)),

    /** Runs a read with a lease on each of its keys. */
    leased: <A, E, R>(
      addresses: ReadonlyArray<Address>,
      read: (leases: ReadonlyArray<Lease>) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        const leases = addresses.map((address) => marks.lease(address, zeroStamp))
        return Effect.ensuring(
          read(leases),
          Effect.sync(() => {
            for (const lease of leases) lease.release()
          })
        )
      }),

    onEdge: matchOnEdge,

    /** One for each address. A batch asks with half of what it may, which leaves as much for putting what was missing. */
    onEdgeTogether: (
      addresses: ReadonlyArray<Address>,
      leases: ReadonlyArray<Lease>
    ): Effect.Effect<ReadonlyArray<Option.Option<Observation>>> =>
      Effect.map(
        Effect.forEach(
          addresses.slice(0, Math.ceil(settings.edgeOperations / 2)),
          (address, index) => matchOnEdge(address, leases[index]!),
          { concurrency: openConnections }
        ),
        (found) => addresses.map((_, index) => found[index] ?? Option.none())
      ),

    /** Keeps an answer in the tiers above the one that gave it, unless a write has overtaken the read's lease. */
    fill: (address: Address, answer: Answer, lease?: Lease): Effect.Effect<Observation> =>
      answer.keep
        ? Effect.flatMap(Effect.zip(withDraw(address, answer.observation), Clock.currentTimeMillis), ([drawn, now]) => {
            const observation = answer.tier === "durable" ? drawn : reconciled(address, drawn, answer.tier, now)
            if (lease?.overtaken([])) return Effect.succeed(observation)
            keepInMemory(address, observation, now)
            return Effect.as(answer.tier === "edge" ? Effect.void : keepOnEdge(address, observation), observation)
          })
        : Effect.succeed(answer.observation),

    /**
     * An offer is not asked for again if it was wrong, so it gives way to whatever memory has seen later, absences
     * included.
     */
    offer: (address: Address, observation: Observation, now: number, group = address.collection.name): void => {
      const { graceFor, memoryTtl, staleFor } = address.collection.millis
      if (memoryTtl <= 0 || !marks.isCurrent(address.collection, observation)) return
      const held = memory.peek(address.id, now)
      if (held !== undefined && !isNews(held, observation, now)) return
      const entry =
        held?.entry !== undefined &&
        observation.entry !== undefined &&
        compareStamps(held.entry.stamp, observation.entry.stamp) === 0
          ? held.entry
          : observation.entry
      const bytes = slotBytes(address.id, weightOf(entry))
      const retainUntil = untilIn("memory", address, observation) + Math.max(staleFor, graceFor)
      memory.offer(address.id, { ...observation, entry }, { bytes, retainUntil, group }, now)
    },

    /** Leaves in both tiers what a write was acknowledged with. */
    remember: (address: Address, observation: Observation): Effect.Effect<void> =>
      Effect.flatMap(Effect.zip(withDraw(address, observation), Clock.currentTimeMillis), ([drawn, now]) => {
        const held = memory.peek(address.id, now)
        const overtaken =
          held?.entry !== undefined &&
          drawn.entry !== undefined &&
          compareStamps(held.entry.stamp, drawn.entry.stamp) > 0
        if (overtaken) return Effect.void
        noteOnEdge(address, drawn)
        if (address.collection.millis.memoryTtl > 0) keepInMemory(address, drawn, now, lateReadMillis)
        else memory.delete(address.id)
        return drawn.entry === undefined ? dropFromEdge(address) : keepOnEdge(address, drawn)
      }),

    drop: (address: Address): Effect.Effect<void> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        memory.delete(address.id)
        noteOnEdge(address, { entry: undefined, readAt: now })
        return dropFromEdge(address)
      })
  }
}

/** Whether an offer is later than what is held, and not an old view of KV. */
const isNews = (held: Observation, offered: Observation, now: number): boolean => {
  if (offered.readAt <= held.readAt) return false
  if (held.entry === undefined) return now - held.readAt >= lateReadMillis
  return offered.entry === undefined
    ? now - held.entry.stamp.wall >= lateReadMillis
    : compareStamps(offered.entry.stamp, held.entry.stamp) >= 0
}
