import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Background, type BackgroundService } from "../../services/base/Background.ts"
import { Session } from "../../services/base/Session.ts"
import { Budget, type BudgetService } from "../../services/budget/Budget.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { prices } from "../../services/ledger/model/Prices.ts"
import { LearnedState, type LearnedStateService } from "../../services/prefetch/LearnedState.ts"
import { Piggyback, type PiggybackService } from "../../services/prefetch/Piggyback.ts"
import { Prefetch, type PrefetchService } from "../../services/prefetch/Prefetch.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import { Store } from "../../services/store/Store.ts"
import { type Address, addressOf, ReadPath } from "../../services/tiers/ReadPath.ts"
import { makeHitNotes } from "./internal/hitNotes.ts"

/** Keys of one batch that are learned from. */
const notedKeys = 32

/** Observed reads after which an isolate asks what others have learned, and between two of its own savings. */
const loadAfter = 32
const saveAfter = 1000

/** What a read of its own saves the next reader: a median KV read (worldmonitor, July 2026, 77,500 reads), milliseconds. */
const kvMillis = 28

/**
 * Observes the reads of sessions and hands predictions on. Where the store below has objects, they come along with the
 * RPC that a miss makes anyway; where it has not, a prediction is read from KV only if the time it saves is worth more
 * than the read. While a budget is being saved, nothing is fetched.
 */
export const make = (
  store: Store["Type"],
  prefetch: PrefetchService,
  readPath: ReadPath["Type"],
  settings: Settings["Type"],
  learned: LearnedStateService,
  ledger: Ledger["Type"],
  budget: BudgetService,
  piggybacks: boolean
): Store["Type"] => {
  const nobodysBackground = Effect.runSync(Background)
  const invocations = new WeakMap<BackgroundService, string>()
  let invoked = 0
  let observed = 0
  let loaded = false
  let savedAt = 0

  const note = (session: string, id: string, now: number, held: boolean): void => {
    observed += 1
    prefetch.note(session, id, now, held)
  }
  const hits = makeHitNotes((session, id, at) => note(session, id, at, true))

  /** The reads of one invocation belong together where nobody says more. */
  const invocationOf = (background: BackgroundService): string | undefined => {
    if (background === nobodysBackground) return undefined
    const known = invocations.get(background)
    if (known !== undefined) return known
    const name = `invocation ${++invoked}`
    invocations.set(background, name)
    return name
  }

  const addressIn = (id: string): Address | undefined => {
    const slash = id.indexOf("/")
    const collection = settings.collections.get(id.slice(0, slash))
    return collection && { collection, key: id.slice(slash + 1), id }
  }

  /** Whether there is nothing to be gained by fetching the id: memory has it, or would not keep it. */
  const needless = (now: number) => (id: string) => {
    const address = addressIn(id)
    return (
      address === undefined || address.collection.millis.memoryTtl <= 0 || readPath.known(address, now) !== undefined
    )
  }

  const confidenceThatPays =
    settings.prefetchLatencyUsd === 0
      ? Number.POSITIVE_INFINITY
      : prices.kvReads[0] / (kvMillis * settings.prefetchLatencyUsd)

  /** Nobody asked for these, so they do not count as asked for. */
  const readAhead = (ids: ReadonlyArray<string>): Effect.Effect<void> =>
    Effect.forEach(
      byCollection(ids.flatMap((id) => addressIn(id) ?? [])),
      ([collection, keys]) => {
        ledger.record({ tier: "logical", collection: collection.name, kind: "reads", count: -keys.length })
        return Effect.ignore(store.getMany(collection, keys))
      },
      { discard: true }
    )

  const keepUp = (background: BackgroundService): Effect.Effect<void> => {
    if (!loaded && observed >= loadAfter) {
      loaded = true
      savedAt = observed
      return background.run(learned.load)
    }
    if (observed - savedAt >= saveAfter) {
      savedAt = observed
      return background.run(learned.save)
    }
    return Effect.void
  }

  const observing = <A, E, R>(
    collection: Collection,
    keys: ReadonlyArray<string>,
    run: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> =>
    Effect.contextWithEffect((context: Context.Context<never>) =>
      Effect.clockWith((clock) => {
        const background = Context.get(context, Background)
        const asked = Context.get(context, Session)
        if (asked === null) return run
        hits.drain()
        const session = asked ?? invocationOf(background)
        if (session === undefined) return run
        const now = clock.unsafeCurrentTimeMillis()
        let missing = false
        for (const key of keys.length > notedKeys ? keys.slice(0, notedKeys) : keys) {
          const address = addressOf(collection, key)
          const held = readPath.known(address, now) !== undefined
          note(session, address.id, now, held)
          missing ||= !held
        }
        const followed = Effect.zipLeft(run, keepUp(background))
        if (!missing || budget.mode("reads", now) !== "normal") return followed
        if (piggybacks) {
          const piggyback: PiggybackService = {
            take: () => prefetch.take(session, needless(now)),
            carried: prefetch.carried
          }
          return Effect.provideService(followed, Piggyback, piggyback)
        }
        const ahead = confidenceThatPays < 1 ? prefetch.take(session, needless(now), confidenceThatPays) : []
        return ahead.length === 0 ? followed : Effect.zipRight(background.run(readAhead(ahead)), followed)
      })
    )

  if (!prefetch.enabled) return store
  return {
    ...store,
    held: (collection, key, now, session) => {
      const found = store.held(collection, key, now)
      if (found !== undefined && session !== undefined) hits.write(session, collection.name, key, now)
      return found
    },
    get: (collection, key) => observing(collection, [key], store.get(collection, key)),
    getMany: (collection, keys, maxBytes) => observing(collection, keys, store.getMany(collection, keys, maxBytes)),
    getOrLoad: (collection, key, load) => observing(collection, [key], store.getOrLoad(collection, key, load))
  }
}

const byCollection = (addresses: ReadonlyArray<Address>): ReadonlyMap<Collection, ReadonlyArray<string>> => {
  const groups = new Map<Collection, Array<string>>()
  for (const { collection, key } of addresses) {
    const group = groups.get(collection)
    if (group === undefined) groups.set(collection, [key])
    else group.push(key)
  }
  return groups
}

/**
 * Over a store whose objects take predictions along.
 */
export const layerPiggybacking = layerOf(true)

/** Over a store that reads KV, one billed read a key. */
export const layerReading = layerOf(false)

function layerOf(piggybacks: boolean): Layer.Layer<Store, never, Store | ReadPath | Settings | Ledger> {
  return Layer.effect(
    Store,
    Effect.map(
      Effect.all([Store, Prefetch, ReadPath, Settings, LearnedState, Ledger, Budget]),
      ([store, prefetch, readPath, settings, learned, ledger, budget]) =>
        make(store, prefetch, readPath, settings, learned, ledger, budget, piggybacks)
    )
  )
}
