import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Background } from "../../../services/base/Background.ts"
import type { Observation } from "../../../services/store/model/Entry.ts"
import { answersLoad, freshnessOf, outlives } from "../../../services/store/model/Freshness.ts"
import { type Lookup, StoreError, type Tier } from "../../../services/store/Store.ts"
import { type Address, type Answer, type Lease, living, type ReadSource } from "../../../services/tiers/ReadPath.ts"
import type { makeMemoryAndEdge } from "./memoryAndEdge.ts"
import type { makeReadFlights } from "./readFlights.ts"

type Fallback = Pick<Answer, "observation" | "tier">

/** What is told of an answer, which is counted. */
type Told = (
  address: Address,
  observation: Observation,
  tier: Tier,
  freshness: Lookup["freshness"],
  freshUntil: number
) => Lookup

/**
 * What memory does not answer: edge, then the store of record or the loader, in one flight for all who miss.
 *
 * @param overtaken told of each load whose value was not kept, since it had been overtaken
 */
export const makeMissedReads = (
  tiers: ReturnType<typeof makeMemoryAndEdge>,
  joined: ReturnType<typeof makeReadFlights>["joined"],
  lookup: Told,
  overtaken: () => void
) => {
  /** @param lease of the read that was answered; a load has its own */
  const kept = (address: Address, answer: Answer, freshness: Lookup["freshness"], lease?: Lease) =>
    Effect.map(tiers.fill(address, answer, lease), (observation) => {
      if (!answer.keep && answer.tier === "loader") overtaken()
      return lookup(address, observation, answer.tier, freshness, tiers.untilIn("memory", address, observation))
    })

  const loadInto = <E, R>(
    address: Address,
    load: Effect.Effect<Answer, E, R>,
    fallback: Fallback | undefined
  ): Effect.Effect<Lookup, E, R> =>
    Effect.flatMap(load, (answer) => kept(address, answer, "fresh")).pipe(
      Effect.catchAll((error) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const entry = fallback?.observation.entry
          return entry !== undefined && now - entry.expiresAt < address.collection.millis.graceFor
            ? Effect.succeed(lookup(address, fallback!.observation, fallback!.tier, "grace", entry.expiresAt))
            : Effect.fail(error)
        })
      )
    )

  const fromSource = <E, R>(
    address: Address,
    { authority, load }: ReadSource<E, R>,
    held: Observation | undefined,
    lease: Lease
  ): Effect.Effect<Lookup, E | StoreError, R> => {
    if (load === undefined) {
      return Effect.flatMap(Effect.zip(authority, Clock.currentTimeMillis), ([answer, now]) => {
        const outcome = living(answer, now)
        return outcome instanceof StoreError
          ? Effect.fail(outcome)
          : kept(address, outcome, freshnessIn(outcome), lease)
      })
    }
    const older: Fallback | undefined = held && { observation: held, tier: "memory" }
    return Effect.matchEffect(Effect.zip(authority, Clock.currentTimeMillis), {
      onFailure: (error) =>
        Effect.zipRight(Effect.logDebug("store of record skipped", error), loadInto(address, load, older)),
      onSuccess: ([answer, now]): Effect.Effect<Lookup, E | StoreError, R> => {
        const found = answer.observation
        if (found.entry === undefined) return loadInto(address, load, older)
        const { graceFor, staleFor } = address.collection.millis
        const window = { ttl: Number.POSITIVE_INFINITY, staleFor, graceFor }
        switch (freshnessOf(found, window, now, true)) {
          case "fresh":
            return held?.entry !== undefined && held.entry.expiresAt >= found.entry.expiresAt
              ? loadInto(address, load, answer)
              : kept(address, answer, freshnessIn(answer), lease)
          case "stale":
            return Effect.zipLeft(
              kept(address, answer, "stale", lease),
              behind(joined("reload", address, loadInto(address, load, answer)))
            )
          default:
            return loadInto(address, load, answer)
        }
      }
    })
  }

  /** One flight for all who miss. `held`: what a refresh is to replace. */
  const fetch = <E, R>(address: Address, source: ReadSource<E, R>, held: Observation | undefined) => {
    const { afresh = false, load } = source
    if (!afresh || tiers.standBefore(address)) {
      return joined(load === undefined ? "get" : "load", address, fetched(address, source, held))
    }
    return fetched(address, load === undefined ? source : { ...source, load: joined("load", address, load) }, held)
  }

  const fetched = <E, R>(
    address: Address,
    source: ReadSource<E, R>,
    held: Observation | undefined
  ): Effect.Effect<Lookup, E | StoreError, R> =>
    tiers.leased([address], ([lease]) =>
      Effect.flatMap(tiers.onEdge(address, lease!), (found): Effect.Effect<Lookup, E | StoreError, R> => {
        const useful = Option.filter(found, (edge) => isAnswer(edge, source) && outlives(edge, held))
        return Option.isSome(useful)
          ? kept(address, { observation: useful.value, tier: "edge", keep: true }, "fresh", lease)
          : fromSource(address, source, held, lease!)
      })
    )

  return { fetch, kept }
}

/** Beyond the answer. */
export const behind = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.flatMap(Background, (background) => background.run(effect))

/** Whether a read is answered by it: a load is by what there is only, or by an absence that its loader found. */
export const isAnswer = <E, R>(observation: Observation, { load }: ReadSource<E, R>): boolean =>
  load === undefined || answersLoad(observation)

export const freshnessIn = ({ stale }: Answer): Lookup["freshness"] => (stale ? "stale" : "fresh")
