import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { Background } from "../../../services/base/Background.ts"
import type { LoadPolicy } from "../../../services/facade/KvFacade.ts"
import { type Kv, type KvEntry, limits } from "../../../services/kv/Kv.ts"
import type { Collection } from "../../../services/store/model/Collection.ts"
import type { Entry, Observation } from "../../../services/store/model/Entry.ts"
import type { Stamper } from "../../../services/store/Stamper.ts"
import { StoreError } from "../../../services/store/Store.ts"
import { type Address, type Answer, addressOf, type ReadPath } from "../../../services/tiers/ReadPath.ts"
import { entryOfKv } from "./facadeReads.ts"

/** In KV's metadata: milliseconds since the epoch after which the value is to be loaded again. */
interface LoadedMetadata {
  readonly larderExpiresAt: number
}

/** What a loader rejected with, on its way through to the caller. */
class LoaderError extends Data.TaggedError("LoaderError")<{ readonly cause: unknown }> {}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Values that a loader makes, read through the tiers and kept in KV as JSON.
 *
 * @param secondsFor what memory and edge may answer a key for, where the policy names nothing
 * @param withMetadata whether KV keeps metadata, from which the end of a value is known before KV's own
 */
export const makeFacadeLoads = (
  kv: Kv["Type"],
  readPath: ReadPath["Type"],
  stamper: Stamper["Type"],
  collectionFor: (cacheTtl: number) => Collection,
  secondsFor: (key: string) => number,
  withMetadata: boolean
) => {
  const collectionOf = (key: string, policy: LoadPolicy): Collection => {
    const { cacheTtl = secondsFor(key), graceFor = 0, staleFor = 0, ttl } = policy
    const collection = collectionFor(Math.min(cacheTtl, ttl))
    if (staleFor === 0 && graceFor === 0) return collection
    return { ...collection, millis: { ...collection.millis, staleFor: staleFor * 1000, graceFor: graceFor * 1000 } }
  }

  const authority = (address: Address): Effect.Effect<Answer, StoreError> =>
    Effect.flatMap(Clock.currentTimeMillis, (readAt) =>
      kv.get(address.key).pipe(
        Effect.mapError((cause) => new StoreError({ operation: "get", reason: "Unavailable", cause })),
        Effect.map((found): Answer => {
          const entry = found._tag === "Some" ? loadedOfKv(found.value, readAt) : undefined
          return { observation: { entry, readAt }, tier: "kv", keep: true }
        })
      )
    )

  /** Behind the answer: a value that cannot be kept is served all the same. */
  const keep = (key: string, entry: Entry, policy: LoadPolicy, written: () => void) =>
    Effect.flatMap(Background, (background) => {
      written()
      const { graceFor = 0, staleFor = 0, ttl } = policy
      const seconds = withMetadata ? ttl + Math.max(staleFor, graceFor) : ttl
      const expirationTtl = Math.max(limits.minExpirationTtl, Math.ceil(seconds))
      const beside = withMetadata ? { metadata: entry.metadata } : {}
      return background.run(kv.put(key, entry.value, { expirationTtl, ...beside }))
    })

  const loaded = (
    address: Address,
    load: () => unknown,
    policy: LoadPolicy,
    written: () => void
  ): Effect.Effect<Answer, LoaderError> =>
    Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      const stamp = stamper.next(began)
      const lease = readPath.lease(address, stamp)
      try {
        const value = yield* Effect.tryPromise({
          try: async () => await load(),
          catch: (cause) => new LoaderError({ cause })
        })
        const now = yield* Clock.currentTimeMillis
        const text = JSON.stringify(value)
        if (text === undefined) return made({ entry: undefined, readAt: began, final: true }, !lease.overtaken([]))
        const expiresAt = now + policy.ttl * 1000
        const metadata: LoadedMetadata = { larderExpiresAt: expiresAt }
        const loadMillis = Math.max(1, now - began)
        const entry = { value: encoder.encode(text), contentType: "", tags: [], stamp, expiresAt, loadMillis, metadata }
        if (lease.overtaken([])) return made({ entry, readAt: now }, false)
        yield* keep(address.key, entry, policy, written)
        return made({ entry, readAt: now }, true)
      } finally {
        lease.release()
      }
    })

  return {
    /** @param written called when a loaded value is put into KV */
    getOrLoad: <A>(
      key: string,
      load: () => A | Promise<A>,
      policy: LoadPolicy,
      written: () => void
    ): Effect.Effect<A, unknown> => {
      const address = addressOf(collectionOf(key, policy), key)
      const source = { authority: authority(address), load: loaded(address, load, policy, written), afresh: true }
      return readPath.read(address, source).pipe(
        Effect.mapError((error) => (error._tag === "LoaderError" ? error.cause : error)),
        Effect.map(({ entry }) => (entry === undefined ? undefined : JSON.parse(decoder.decode(entry.value))) as A)
      )
    }
  }
}

const made = (observation: Observation, keep: boolean): Answer => ({ observation, tier: "loader", keep })

/** A value that no loader of ours put there has no end that is known here. */
const loadedOfKv = (found: KvEntry, readAt: number): Entry => {
  const end = (found.metadata as Partial<LoadedMetadata> | null | undefined)?.larderExpiresAt
  const entry = entryOfKv(found, readAt)
  return typeof end === "number" ? { ...entry, expiresAt: end } : entry
}
