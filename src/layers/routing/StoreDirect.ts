import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import { Kv, propagationMillis } from "../../services/kv/Kv.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Observation } from "../../services/store/model/Entry.ts"
import { Stamper } from "../../services/store/Stamper.ts"
import {
  changesBy,
  entryOf,
  type Lookup,
  resultOf,
  Store,
  StoreError,
  type Tier,
  type Write,
  type Written
} from "../../services/store/Store.ts"
import { addressOf } from "../../services/tiers/ReadPath.ts"
import { makeKvRecords, toStoreError } from "../packing/kvRecords.ts"
import { makeLogical, refusedInKv } from "../store/logical.ts"
import { checked, makeTagMarks } from "./tagMarks.ts"

/** The baseline: one logical operation is one KV operation, nothing is remembered, nothing is shared. */
export const make = (
  kv: Kv["Type"],
  settings: Settings["Type"],
  stamper: Stamper["Type"],
  ledger: Ledger["Type"]
): Store["Type"] => {
  const records = makeKvRecords(kv, settings)
  const tagMarks = makeTagMarks(kv)
  const logical = makeLogical(ledger)

  const lookup = (tier: Tier, observation: Observation, now: number): Lookup => ({
    entry: observation.entry !== undefined && now < observation.entry.expiresAt ? observation.entry : undefined,
    tier,
    readAt: observation.readAt,
    freshness: "fresh",
    freshUntil: observation.readAt
  })

  const get: Store["Type"]["get"] = (collection, key) =>
    logical.on("reads", collection, [key], () =>
      records.read(addressOf(collection, key)).pipe(
        Effect.flatMap((observation) =>
          observation.entry === undefined || observation.entry.tags.length === 0
            ? Effect.succeed(observation)
            : Effect.map(tagMarks.readFor([observation.entry]), (marks) => checked(observation, marks))
        ),
        Effect.mapBoth({
          onFailure: toStoreError("get"),
          onSuccess: (observation) => lookup("kv", observation, observation.readAt)
        })
      )
    )

  const write = (collection: Collection, { key, value, ...options }: Write): Effect.Effect<Written, StoreError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const entry = entryOf(collection, value, options, stamper.next(now), now)
      const { expiresAt, stamp } = entry
      return Effect.mapBoth(records.write(addressOf(collection, key), entry, now), {
        onFailure: toStoreError("set"),
        onSuccess: () => ({ stamp, acknowledged: "stored", replaced: false, expiresAt })
      })
    })

  const writeMany: Store["Type"]["writeMany"] = (collection, changes) =>
    logical.changing(
      collection,
      changes,
      (last) =>
        Effect.forEach(
          last,
          (change) =>
            Effect.map(
              Effect.either("remove" in change ? remove(collection, change.key) : write(collection, change)),
              resultOf
            ),
          { concurrency: openConnections }
        ),
      refusedInKv
    )

  const changes = changesBy(writeMany)

  const remove = (collection: Collection, key: string): Effect.Effect<Written, StoreError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.mapBoth(records.remove(addressOf(collection, key)), {
        onFailure: toStoreError("delete"),
        onSuccess: () => ({ stamp: stamper.next(now), acknowledged: "stored", replaced: false, expiresAt: now })
      })
    )

  return {
    held: () => undefined,
    get,
    getMany: (collection, keys) =>
      Effect.forEach(keys, (key) => Effect.map(Effect.either(get(collection, key)), resultOf), {
        concurrency: openConnections
      }),
    getOrLoad: (collection, key, load) =>
      Effect.flatMap(get(collection, key), (found) =>
        found.entry !== undefined
          ? Effect.succeed(found)
          : Effect.flatMap(
              Effect.timeoutFail(load, {
                duration: settings.loadDeadline,
                onTimeout: () => new StoreError({ operation: "get", reason: "LoadFailed" })
              }),
              Option.match({
                onNone: () => Effect.succeed<Lookup>({ ...found, tier: "loader" }),
                onSome: ({ value, ...options }) =>
                  Effect.zipRight(
                    Effect.catchAll(changes.set(collection, key, value, options), (error) =>
                      Effect.logWarning("a loaded value could not be stored", error)
                    ),
                    Effect.map(Clock.currentTimeMillis, (now) =>
                      lookup(
                        "loader",
                        { entry: entryOf(collection, value, options, stamper.next(now), now, 0), readAt: now },
                        now
                      )
                    )
                  )
              })
            )
      ),
    ...changes,
    list: (collection, options) =>
      logical.on("lists", collection, [], () =>
        Effect.mapBoth(records.list(collection, options), {
          onFailure: toStoreError("list"),
          onSuccess: ({ cursor, keys }) => ({ cursor, keys: keys.map(({ stamp: _, ...listed }) => listed) })
        })
      ),
    invalidateTags: (tags) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const stamp = stamper.next(now)
        return Effect.forEach(new Set(tags), (tag) => tagMarks.write(tag, stamp), {
          concurrency: openConnections
        }).pipe(
          Effect.mapBoth({
            onFailure: toStoreError("invalidateTags"),
            onSuccess: () => ({ boundMillis: propagationMillis })
          })
        )
      }),
    clear: (collection) => Effect.mapError(records.clear(collection), toStoreError("clear"))
  }
}

export const layer: Layer.Layer<Store, never, Kv | Settings | Stamper | Ledger> = Layer.effect(
  Store,
  Effect.gen(function* () {
    return make(yield* Kv, yield* Settings, yield* Stamper, yield* Ledger)
  })
)
