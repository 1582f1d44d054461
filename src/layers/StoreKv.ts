import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Collection, define } from "../services/Collection.ts"
import { type Entry, type Observation, type Stamp, zeroStamp } from "../services/Entry.ts"
import { Kv, type KvError } from "../services/Kv.ts"
import { Ledger } from "../services/Ledger.ts"
import { type Address, type Answer, addressOf, ReadPath } from "../services/ReadPath.ts"
import { longestAge, Settings } from "../services/Settings.ts"
import { Stamper } from "../services/Stamper.ts"
import { entryOf, resultOf, Store, StoreError, type Written } from "../services/Store.ts"
import { breakerLimits } from "./internal/frontTiers.ts"
import { makeGuard, type Skipped, within } from "./internal/guard.ts"
import { makeKvRecords, toStoreError } from "./internal/kvRecords.ts"
import { makeLoads } from "./internal/loads.ts"
import { makeLogical } from "./internal/logical.ts"
import { checked, makeTagMarks } from "./internal/tagMarks.ts"

/** Tag marks travel the read path like entries, under a name no user's collection can have. */
const tagCollection: Collection = { ...define("tags", { negativeTtl: Duration.minutes(1), jitter: 0 }), name: "~tags" }

/** How long KV takes, as a rule, until every location sees a write: "up to 60 seconds or more". */
const propagationMillis = 60_000

const markOf = (stamp: Stamp): Entry => ({
  value: new Uint8Array(0),
  contentType: "",
  tags: [],
  stamp,
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0
})

/** KV as the store of record, behind memory, edge and single-flight. One entry key, one billed read per miss. */
export const make = (
  kv: Kv["Type"],
  readPath: ReadPath["Type"],
  settings: Settings["Type"],
  stamper: Stamper["Type"],
  ledger: Ledger["Type"]
): Store["Type"] => {
  const records = makeKvRecords(kv, settings)
  const tagMarks = makeTagMarks(kv)
  const guard = makeGuard<KvError>(
    settings.kvDeadline,
    breakerLimits(settings),
    (error) => error.reason === "Unavailable"
  )

  const logical = makeLogical(ledger)

  const unavailable =
    (operation: StoreError["operation"]) =>
    (error: KvError | Skipped): StoreError =>
      error._tag === "KvError"
        ? toStoreError(operation)(error)
        : new StoreError({ operation, reason: "Unavailable", retryAfter: 5, cause: error })

  const reading = <A>(effect: Effect.Effect<A, KvError>): Effect.Effect<A, StoreError> =>
    Effect.mapError(guard.call(effect), unavailable("get"))

  const writing = <A>(operation: StoreError["operation"], effect: Effect.Effect<A, KvError>) =>
    within(
      settings.kvDeadline,
      () => new StoreError({ operation, reason: "Unavailable", retryAfter: 5 })
    )(Effect.mapError(effect, toStoreError(operation)))

  const kvAnswer = (observation: Observation): Answer => ({ observation, tier: "kv", keep: true })

  /** The marks of these tags, and how old the oldest of them is. */
  const marksOf = (tags: ReadonlyArray<string>) =>
    Effect.map(
      readPath.readMany(
        tags.map((tag) => addressOf(tagCollection, tag)),
        (missing) =>
          Effect.flatMap(Clock.currentTimeMillis, (readAt) =>
            Effect.map(reading(tagMarks.read(missing.map(({ key }) => key))), (stamps) =>
              missing.map(({ key }) => {
                const stamp = stamps.get(key)
                return kvAnswer({ entry: stamp && markOf(stamp), readAt })
              })
            )
          )
      ),
      (lookups) => ({
        stamps: new Map(tags.map((tag, index) => [tag, lookups[index]!.entry?.stamp ?? zeroStamp])),
        readAt: Math.min(...lookups.map(({ readAt }) => readAt))
      })
    )

  const withTagsChecked = (observations: ReadonlyArray<Observation>) => {
    const tags = [...new Set(observations.flatMap(({ entry }) => entry?.tags ?? []))]
    return tags.length === 0
      ? Effect.succeed(observations)
      : Effect.map(marksOf(tags), ({ readAt, stamps }) =>
          observations.map((observation) =>
            observation.entry === undefined || observation.entry.tags.length === 0
              ? observation
              : { ...checked(observation, stamps), readAt: Math.min(observation.readAt, readAt) }
          )
        )
  }

  const authority = (address: Address): Effect.Effect<Answer, StoreError> =>
    reading(records.read(address)).pipe(
      Effect.flatMap((observation) => withTagsChecked([observation])),
      Effect.map(([observation]) => kvAnswer(observation!))
    )

  const authorityOfMany = (addresses: ReadonlyArray<Address>) =>
    reading(records.readMany(addresses)).pipe(
      Effect.flatMap(withTagsChecked),
      Effect.map((observations) => observations.map(kvAnswer))
    )

  const loads = makeLoads(readPath, settings, stamper, records)

  const set: Store["Type"]["set"] = (collection, key, value, options = {}) =>
    logical.on("writes", collection, [key], () =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const address = addressOf(collection, key)
        const entry = entryOf(collection, value, options, stamper.next(now), now)
        const replaced = readPath.known(address, now)?.entry !== undefined
        const written: Written = { stamp: entry.stamp, acknowledged: "stored", replaced, expiresAt: entry.expiresAt }
        return writing("set", records.write(address, entry, now)).pipe(
          Effect.tapError((error) => (error.reason === "Unavailable" ? readPath.drop(address) : Effect.void)),
          Effect.zipRight(Clock.currentTimeMillis),
          Effect.flatMap((readAt) => readPath.remember(address, { entry, readAt })),
          Effect.as(written)
        )
      })
    )

  return {
    held: (collection, key, now) => {
      const found = readPath.held(addressOf(collection, key), now)
      if (found !== undefined) logical.asked("reads", collection, 1)
      return found
    },

    get: (collection, key) =>
      logical.on("reads", collection, [key], () => {
        const address = addressOf(collection, key)
        return readPath.read(address, { authority: Effect.suspend(() => authority(address)) })
      }),

    getMany: (collection, keys) =>
      logical.on("reads", collection, keys, () =>
        readPath.readMany(
          keys.map((key) => addressOf(collection, key)),
          authorityOfMany
        )
      ),

    getOrLoad: (collection, key, load) =>
      logical.on("reads", collection, [key], () => {
        const address = addressOf(collection, key)
        return readPath.read(address, {
          authority: Effect.suspend(() => authority(address)),
          load: loads.leased(address, load)
        })
      }),

    set,

    setMany: (collection, writes) => {
      const last = new Map(writes.map((write) => [write.key, write]))
      return Effect.map(
        Effect.forEach(
          last.values(),
          ({ key, value, ...options }) =>
            Effect.map(Effect.either(set(collection, key, value, options)), (result) => [key, result] as const),
          { concurrency: 6 }
        ),
        (results) => {
          const byKey = new Map(results)
          return writes.map(({ key }) => resultOf(byKey.get(key)!))
        }
      )
    },

    delete: (collection, key) =>
      logical.on("deletes", collection, [key], () => {
        const address = addressOf(collection, key)
        return writing("delete", records.remove(address)).pipe(
          Effect.tapError(() => readPath.drop(address)),
          Effect.zipRight(Clock.currentTimeMillis),
          Effect.flatMap((readAt) => readPath.remember(address, { entry: undefined, readAt })),
          Effect.as("stored" as const)
        )
      }),

    list: (collection, options) =>
      logical.on("lists", collection, [], () =>
        Effect.mapError(guard.call(records.list(collection, options)), unavailable("list"))
      ),

    invalidateTags: (tags) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const stamp = stamper.next(now)
        const distinct = [...new Set(tags)]
        readPath.invalidate(distinct, stamp)
        return Effect.forEach(
          distinct,
          (tag) =>
            Effect.zipRight(
              writing("invalidateTags", tagMarks.write(tag, stamp)),
              readPath.remember(addressOf(tagCollection, tag), { entry: markOf(stamp), readAt: now })
            ),
          { concurrency: 6, discard: true }
        ).pipe(Effect.as({ boundMillis: longestAge(settings) + propagationMillis }))
      }),

    clear: (collection) =>
      records.clear(collection).pipe(
        Effect.mapError(toStoreError("clear")),
        Effect.ensuring(
          Effect.map(Clock.currentTimeMillis, (at) => {
            readPath.forget(collection, at)
          })
        )
      )
  }
}

export const layer: Layer.Layer<Store, never, Kv | ReadPath | Settings | Stamper | Ledger> = Layer.effect(
  Store,
  Effect.gen(function* () {
    return make(yield* Kv, yield* ReadPath, yield* Settings, yield* Stamper, yield* Ledger)
  })
)
