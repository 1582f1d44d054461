import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type BulkAnswer, Kv, type KvEntry, KvError } from "../../services/kv/Kv.ts"
import { pageOf } from "../../services/kv/model/KvPaging.ts"
import {
  carriedAsText,
  checkedPut,
  refusedBulk,
  refusedBulkAnswer,
  refusedGet,
  refusedKey,
  refusedList
} from "../../services/kv/model/KvRules.ts"

interface Stored {
  readonly entry: KvEntry
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

const at = <A>(answer: (now: number) => A | KvError): Effect.Effect<A, KvError> =>
  Effect.clockWith((clock: Clock.Clock) => {
    const result = answer(clock.unsafeCurrentTimeMillis())
    return result instanceof KvError ? Effect.fail(result) : Effect.succeed(result)
  })

/** A namespace in a Map: KV's rules without its weaknesses. Every write is seen at once and none is rate limited. */
export const make = (): Context.Tag.Service<Kv> => {
  const stored = new Map<string, Stored>()

  const live = (key: string, now: number): Stored | undefined => {
    const found = stored.get(key)
    if (found === undefined || now < found.expiresAt) return found
    stored.delete(key)
    return undefined
  }

  function* names(now: number): Iterable<string> {
    for (const key of stored.keys()) if (live(key, now) !== undefined) yield key
  }

  return {
    get: (key, options) =>
      at(
        (now) =>
          refusedGet(key, options?.cacheTtl) ?? Option.map(Option.fromNullable(live(key, now)), ({ entry }) => entry)
      ),
    getBulk: (keys, options) =>
      at((now) => {
        const refused = refusedBulk(keys, options?.cacheTtl)
        if (refused !== undefined) return refused
        const answers = new Map<string, BulkAnswer>()
        let bytes = 0
        for (const key of keys) {
          const entry = live(key, now)?.entry
          bytes += entry?.value.byteLength ?? 0
          answers.set(key, entry && carriedAsText(entry))
        }
        return refusedBulkAnswer(bytes) ?? answers
      }),
    put: (key, value, options) =>
      at((now) => {
        const metadata = checkedPut(key, value, options)
        if (metadata instanceof KvError) return metadata
        stored.set(key, {
          entry: { value, metadata: metadata === undefined ? null : JSON.parse(metadata) },
          expiresAt: now + (options?.expirationTtl ?? Number.POSITIVE_INFINITY) * 1000
        })
      }),
    delete: (key) =>
      at(() => {
        const refused = refusedKey("delete", key)
        if (refused === undefined) stored.delete(key)
        return refused
      }),
    list: (options) =>
      at((now) => {
        const page = refusedList(options) ?? pageOf(names(now), options)
        if (page instanceof KvError) return page
        const keys = page.names.map((name) => {
          const { entry, expiresAt } = stored.get(name)!
          return {
            name,
            expiration: expiresAt === Number.POSITIVE_INFINITY ? undefined : Math.floor(expiresAt / 1000),
            metadata: entry.metadata
          }
        })
        return { keys, cursor: page.cursor }
      })
  }
}

export const layer: Layer.Layer<Kv> = Layer.sync(Kv, make)
