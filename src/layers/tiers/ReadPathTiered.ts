import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Budget, type BudgetService, unlimited } from "../../services/budget/Budget.ts"
import { Settings, type TierSettings } from "../../services/settings/Settings.ts"
import type { Observation } from "../../services/store/model/Entry.ts"
import { freshnessOf } from "../../services/store/model/Freshness.ts"
import { type Lookup, StoreError, type StoreResult, type Tier } from "../../services/store/Store.ts"
import { EdgeCache } from "../../services/tiers/EdgeCache.ts"
import { MemoryTier } from "../../services/tiers/MemoryTier.ts"
import { type Address, living, type Outcome, ReadPath, type ReadSource } from "../../services/tiers/ReadPath.ts"
import { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import { ValueWeight } from "../../services/tiers/ValueWeight.ts"
import { makeAnswerCounts } from "./internal/answerCounts.ts"
import { makeEarlyRefresh } from "./internal/earlyRefresh.ts"
import { makeLocalInvalidations } from "./internal/localInvalidations.ts"
import { makeMemoryAndEdge } from "./internal/memoryAndEdge.ts"
import { behind, freshnessIn, isAnswer, makeMissedReads } from "./internal/missedReads.ts"
import { makeReadFlights } from "./internal/readFlights.ts"
import { makeStaleForBudget } from "./internal/staleForBudget.ts"

/** Invalidated tags that an isolate keeps apart. */
const rememberedTags = 10_000

export const make = (
  settings: TierSettings,
  memory: MemoryTier["Type"],
  edge: EdgeCache["Type"],
  flight: SingleFlight["Type"],
  weigh: (value: Uint8Array) => number,
  budget: BudgetService = unlimited
): ReadPath["Type"] => {
  const savesBudget = makeStaleForBudget(budget, settings)
  const marks = makeLocalInvalidations(rememberedTags)
  const { joined, part } = makeReadFlights(flight, settings.followerPatience)
  const tiers = makeMemoryAndEdge(settings, memory, edge, weigh, marks)
  const answers = makeAnswerCounts()
  const counts = { reads: 0, stale: 0, grace: 0, overtaken: 0, earlyRefreshes: 0 }
  const isDueEarly = makeEarlyRefresh(settings, counts)

  const lookup = (
    { collection }: Address,
    observation: Observation,
    tier: Tier,
    freshness: Lookup["freshness"],
    freshUntil: number
  ): Lookup => {
    answers.count(collection, tier)
    if (freshness !== "fresh") counts[freshness] += 1
    return { entry: observation.entry, tier, readAt: observation.readAt, freshness, freshUntil }
  }

  const { fetch, kept } = makeMissedReads(tiers, joined, lookup, () => {
    counts.overtaken += 1
  })

  const fromMemory = <E, R>(
    address: Address,
    source: ReadSource<E, R>,
    held: Observation,
    now: number
  ): Effect.Effect<Lookup, E | StoreError, R> => {
    const until = tiers.untilIn("memory", address, held)
    const loadable = source.load !== undefined
    if (now < until) {
      const hit = lookup(address, held, "memory", "fresh", until)
      if (!(loadable && held.entry?.loadMillis) || savesBudget(loadable, now)) return Effect.succeed(hit)
      return Effect.flatMap(isDueEarly(address.id, held, now), (due) =>
        due ? Effect.as(behind(fetch(address, source, held)), hit) : Effect.succeed(hit)
      )
    }
    const { graceFor, staleFor } = address.collection.millis
    const window = { ttl: tiers.ttlIn("memory", address, held), staleFor, graceFor }
    const lapsed = held.entry !== undefined && now >= held.entry.expiresAt ? held : undefined
    const freshness = freshnessOf(held, window, now, loadable)
    if ((freshness === "stale" || freshness === "grace") && savesBudget(loadable, now)) {
      return Effect.succeed(lookup(address, held, "memory", freshness, until))
    }
    switch (freshness) {
      case "stale":
        return Effect.as(behind(fetch(address, source, lapsed)), lookup(address, held, "memory", "stale", until))
      case "grace":
        return Effect.timeoutOption(fetch(address, source, lapsed), settings.softDeadline).pipe(
          Effect.map(Option.getOrElse(() => lookup(address, held, "memory", "grace", until))),
          Effect.catchAll((error) =>
            Effect.as(Effect.logDebug("served within grace", error), lookup(address, held, "memory", "grace", until))
          )
        )
      default:
        return fetch(address, source, undefined)
    }
  }

  const readTogether = (
    addresses: ReadonlyArray<Address>,
    authority: (missing: ReadonlyArray<Address>) => Effect.Effect<ReadonlyArray<Outcome>>
  ): Effect.Effect<ReadonlyArray<Lookup | StoreError>> =>
    tiers.leased(addresses, (leases) =>
      Effect.gen(function* () {
        const fromEdge = yield* tiers.onEdgeTogether(addresses, leases)
        const missing = addresses.filter((_, index) => Option.isNone(fromEdge[index]!))
        const answers = missing.length === 0 ? [] : yield* authority(missing)
        const now = yield* Clock.currentTimeMillis
        let next = 0
        return yield* Effect.forEach(addresses, (address, index): Effect.Effect<Lookup | StoreError> => {
          const found = fromEdge[index]!
          if (Option.isSome(found)) {
            return kept(address, { observation: found.value, tier: "edge", keep: true }, "fresh", leases[index])
          }
          const answer = answers[next++]!
          const outcome = answer instanceof StoreError ? answer : living(answer, now)
          return outcome instanceof StoreError
            ? Effect.succeed(outcome)
            : kept(address, outcome, freshnessIn(outcome), leases[index])
        })
      })
    )

  const readMany: ReadPath["Type"]["readMany"] = (asked, authority) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      counts.reads += asked.length
      const found = new Map<string, Lookup | StoreError>()
      const inGrace = new Map<string, Lookup>()
      const missing: Array<Address> = []
      const ageing: Array<Address> = []
      const saving = savesBudget(false, now)
      for (const address of new Map(asked.map((address) => [address.id, address])).values()) {
        const held = tiers.inMemory(address, now)
        const ttl = held === undefined ? 0 : tiers.ttlIn("memory", address, held)
        const { graceFor, staleFor } = address.collection.millis
        const freshness = held === undefined ? "expired" : freshnessOf(held, { ttl, staleFor, graceFor }, now, false)
        if (held === undefined || freshness === "expired") missing.push(address)
        else if (freshness === "grace" && !saving) {
          missing.push(address)
          inGrace.set(address.id, { ...held, tier: "memory", freshness, freshUntil: held.readAt + ttl })
        } else {
          found.set(address.id, lookup(address, held, "memory", freshness, tiers.untilIn("memory", address, held)))
          if (freshness === "stale" && !saving) ageing.push(address)
        }
      }
      return Effect.zipRight(
        ageing.length === 0 ? Effect.void : behind(readTogether(ageing, authority)),
        Effect.map(missing.length === 0 ? Effect.succeed([]) : readTogether(missing, authority), (looked) => {
          for (const [index, { id }] of missing.entries()) {
            const one = looked[index]!
            found.set(id, one instanceof StoreError ? (inGrace.get(id) ?? one) : one)
          }
          return asked.map(({ id }): StoreResult<Lookup> => {
            const one = found.get(id)!
            return one instanceof StoreError ? { _tag: "Failed", error: one } : { _tag: "Done", value: one }
          })
        })
      )
    })

  return {
    held: (address, now) => {
      const held = tiers.peekInMemory(address, now)
      if (held === undefined) return undefined
      const until = tiers.untilIn("memory", address, held)
      if (now >= until) return undefined
      counts.reads += 1
      memory.get(address.id, now)
      return lookup(address, held, "memory", "fresh", until)
    },

    read: (address, source) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        counts.reads += 1
        const held = tiers.inMemory(address, now)
        return held === undefined || !isAnswer(held, source)
          ? fetch(address, source, undefined)
          : fromMemory(address, source, held, now)
      }),

    readMany,

    known: (address, now) => {
      const held = memory.peek(address.id, now)
      return held !== undefined &&
        marks.isCurrent(address.collection, held) &&
        (held.entry === undefined || now < held.entry.expiresAt)
        ? held
        : undefined
    },

    offer: tiers.offer,

    remember: (address, observation) =>
      Effect.suspend(() => {
        marks.overtake(address.id, observation)
        part(address)
        return tiers.remember(address, observation)
      }),

    drop: (address) =>
      Effect.suspend(() => {
        marks.overtake(address.id, undefined)
        part(address)
        return tiers.drop(address)
      }),

    invalidate: marks.invalidate,
    forget: marks.forget,
    lease: marks.lease,
    stats: () => ({
      ...counts,
      ...answers.stats(),
      edgeSkipped: tiers.edgeSkipped(),
      edgeBreaker: tiers.edgeBreaker()
    })
  }
}

export const layer: Layer.Layer<ReadPath, never, Settings | MemoryTier | EdgeCache | SingleFlight> = Layer.effect(
  ReadPath,
  Effect.gen(function* () {
    const budget = yield* Budget
    return make(yield* Settings, yield* MemoryTier, yield* EdgeCache, yield* SingleFlight, yield* ValueWeight, budget)
  })
)
