import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { getMany, type Kv, type KvEntry, type KvError } from "../../../services/kv/Kv.ts"
import type { Entry, Observation } from "../../../services/store/model/Entry.ts"
import { StoreError } from "../../../services/store/Store.ts"
import type { Address, Answer, ReadPath } from "../../../services/tiers/ReadPath.ts"

/**
 * KV does not tell when a value was written or when it ends: it counts as written when it was read, so that what this
 * isolate wrote before gives way to it.
 */
export const entryOfKv = ({ metadata, value }: KvEntry, readAt: number): Entry => ({
  value,
  contentType: "",
  tags: [],
  stamp: { wall: readAt, counter: 0, writer: "" },
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0,
  ...(metadata === null || metadata === undefined ? {} : { metadata })
})

const failed = (cause: KvError): StoreError => new StoreError({ operation: "get", reason: "Unavailable", cause })

const answer = (found: KvEntry | undefined, readAt: number): Answer => {
  const observation: Observation = { entry: found && entryOfKv(found, readAt), readAt }
  return { observation, tier: "kv", keep: true }
}

/** Reads of one namespace through memory, edge and one flight for all who miss. */
export const makeFacadeReads = (kv: Kv["Type"], readPath: ReadPath["Type"]) => ({
  /** @param cacheTtl seconds, passed on to KV where the caller named them */
  one: (address: Address, cacheTtl: number | undefined): Effect.Effect<Entry | undefined, StoreError> => {
    const authority = Effect.flatMap(Clock.currentTimeMillis, (readAt) =>
      kv.get(address.key, cacheTtl === undefined ? {} : { cacheTtl }).pipe(
        Effect.map((found) => answer(found._tag === "Some" ? found.value : undefined, readAt)),
        Effect.mapError(failed)
      )
    )
    return Effect.map(readPath.read(address, { authority, afresh: true }), ({ entry }) => entry)
  },

  /** In the order asked. Fails with the first failure. */
  many: (
    addresses: ReadonlyArray<Address>,
    cacheTtl: number | undefined
  ): Effect.Effect<ReadonlyArray<Entry | undefined>, StoreError> =>
    Effect.flatMap(
      readPath.readMany(addresses, (missing) =>
        Effect.flatMap(Clock.currentTimeMillis, (readAt) =>
          getMany(
            kv,
            missing.map(({ key }) => key),
            cacheTtl === undefined ? {} : { cacheTtl }
          ).pipe(
            Effect.map((found) => missing.map(({ key }) => answer(found.get(key), readAt))),
            Effect.catchAll((error) => Effect.succeed(missing.map(() => failed(error))))
          )
        )
      ),
      (results) =>
        Effect.all(
          results.map((result) =>
            result._tag === "Done" ? Effect.succeed(result.value.entry) : Effect.fail(result.error)
          )
        )
    )
})
