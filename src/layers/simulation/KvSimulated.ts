import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "../../services/base/model/Random.ts"
import type * as KvAllowance from "../../services/budget/model/KvAllowance.ts"
import { type BulkAnswer, Kv, type KvEntry, KvError } from "../../services/kv/Kv.ts"
import { pageOf } from "../../services/kv/model/KvPaging.ts"
import * as KvRules from "../../services/kv/model/KvRules.ts"
import {
  type Consistency,
  documented,
  immediate,
  listVersion,
  readVersion,
  type Version
} from "../../services/simulation/model/KvConsistency.ts"
import * as KvLatency from "../../services/simulation/model/KvLatency.ts"
import * as KvGate from "./internal/kvGate.ts"
import * as KvHistory from "./internal/kvHistory.ts"
import * as KvReuse from "./internal/kvReuse.ts"

export interface KvWorldOptions extends KvHistory.KvBeginning {
  /** Two worlds with one seed, asked the same questions in the same order, give the same answers. Default 1. */
  readonly seed?: number
  /** Default `published`: the quantiles of services/KvLatency.ts. */
  readonly latency?: "published" | "none"
  /** Default `documented`. `immediate`: every location sees every write at once, and reuses nothing. */
  readonly consistency?: "documented" | "immediate" | Consistency
  /** Whether a second put to a key within a second is refused. Default true. */
  readonly writeRate?: boolean
  /** What a UTC day allows over all locations. Default unlimited; the Free plan is `freeDailyKv`. */
  readonly daily?: KvAllowance.DailyAllowance
  /** What a bulk read makes of an entry. Default: {@link KvRules.carriedAsText}, which reads the whole value. */
  readonly carried?: (entry: KvEntry) => BulkAnswer
}

/** One namespace, and the locations that see it. */
export interface KvWorld {
  /** The namespace seen from a location: the same name, the same reused answers. */
  readonly at: (location: string | number) => Context.Tag.Service<Kv>
  /** The truth: what a read would find at `now` (milliseconds since the epoch) if its location had caught up. */
  readonly current: (key: string, now: number) => KvEntry | undefined
}

/**
 * Workers KV in virtual time, as documented: answers that a location reuses, 429 for fast puts to one key, daily and
 * per-invocation limits, latency. An operation takes effect when it is asked and answers after its latency on Effect's
 * Clock, so that a caller who gives up on a write may still have written. Deletes count against no rate: none is
 * documented.
 */
export const makeWorld = (options: KvWorldOptions = {}): KvWorld => {
  const seed = options.seed ?? 1
  const consistency = consistencyOf(options.consistency ?? "documented")
  const putInterval = options.writeRate === false ? 0 : 1000
  const carried = options.carried ?? KvRules.carriedAsText
  const random = Random.make(seed)
  const { within, reply, refuse } = KvGate.make(options, random)
  const history = KvHistory.make(consistency, options)

  const makeLocation = (location: number): Context.Tag.Service<Kv> => {
    const reuse = KvReuse.make()

    const fetch = (key: string, now: number, cacheTtl: number): Version => {
      const version = readVersion(history.head(key), consistency, seed, location, now)
      if (consistency.reuse > 0) reuse.set(key, version, now + Math.max(cacheTtl * 1000, consistency.reuse), now)
      return version
    }

    const write = (key: string, now: number, change: Pick<Version, "answer" | "expiresAt" | "putAt">): void => {
      const seen = random() < consistency.ownWrites
      if (seen) reuse.delete(key)
      history.write(key, now, { ...change, seenBy: seen ? location : -1 })
    }

    return {
      get: (key, { cacheTtl } = {}) => {
        const refused = KvRules.refusedGet(key, cacheTtl)
        if (refused !== undefined) return Effect.fail(refused)
        return within("get", "reads", 1, (now) => {
          const hot = reuse.get(key, now)
          return reply(
            answerAt(hot ?? fetch(key, now, cacheTtl ?? 0), now),
            hot === undefined ? KvLatency.central : KvLatency.reused
          )
        })
      },

      getBulk: (keys, { cacheTtl } = {}) => {
        const refused = KvRules.refusedBulk(keys, cacheTtl)
        if (refused !== undefined) return Effect.fail(refused)
        return within("getBulk", "reads", keys.length, (now) => {
          const answers = new Map<string, BulkAnswer>()
          let allHot = true
          let bytes = 0
          for (const key of keys) {
            const hot = reuse.get(key, now)
            allHot &&= hot !== undefined
            const entry = Option.getOrUndefined(answerAt(hot ?? fetch(key, now, cacheTtl ?? 0), now))
            bytes += entry?.value.byteLength ?? 0
            answers.set(key, entry && carried(entry))
          }
          return bytes > KvRules.bulkAnswerBytes
            ? refuse("getBulk", "TooLarge", KvRules.bulkAnswerText)
            : reply(answers, allHot ? KvLatency.reused : KvLatency.central)
        })
      },

      put: (key, value, putOptions) => {
        const metadata = KvRules.checkedPut(key, value, putOptions)
        if (metadata instanceof KvError) return Effect.fail(metadata)
        return within("put", "writes", 1, (now) => {
          if (now - history.head(key).putAt < putInterval) {
            return refuse("put", "RateLimited", "KV PUT failed: 429 Too Many Requests")
          }
          write(key, now, {
            answer: Option.some({ value, metadata: metadata === undefined ? null : JSON.parse(metadata) }),
            expiresAt: now + (putOptions?.expirationTtl ?? Number.POSITIVE_INFINITY) * 1000,
            putAt: now
          })
          return reply(undefined, KvLatency.central)
        })
      },

      delete: (key) => {
        const refused = KvRules.refusedKey("delete", key)
        if (refused !== undefined) return Effect.fail(refused)
        return within("delete", "deletes", 1, (now) => {
          const putAt = history.head(key).putAt
          write(key, now, { answer: Option.none(), expiresAt: Number.POSITIVE_INFINITY, putAt })
          return reply(undefined, KvLatency.central)
        })
      },

      list: (listOptions) => {
        const refused = KvRules.refusedList(listOptions)
        if (refused !== undefined) return Effect.fail(refused)
        return within("list", "lists", 1, (now) => {
          const page = pageOf(history.names(), listOptions)
          if (page instanceof KvError) return Effect.fail(page)
          const keys = page.names.flatMap((name) => {
            const version = listVersion(history.head(name), consistency, seed, location, now)
            const entry = Option.getOrUndefined(answerAt(version, now))
            return entry === undefined
              ? []
              : [{ name, expiration: secondsOf(version.expiresAt), metadata: entry.metadata }]
          })
          return reply({ keys, cursor: page.cursor }, KvLatency.central)
        })
      }
    }
  }

  const locations = new Map<string | number, Context.Tag.Service<Kv>>()
  return {
    at: (location) => {
      const known = locations.get(location)
      if (known !== undefined) return known
      const made = makeLocation(locations.size)
      locations.set(location, made)
      return made
    },
    current: (key, now) => Option.getOrUndefined(answerAt(history.head(key), now))
  }
}

/** A world's namespace as one location sees it. */
export const layer = (world: KvWorld, location: string | number): Layer.Layer<Kv> =>
  Layer.sync(Kv, () => world.at(location))

// internal

const consistencyOf = (option: "documented" | "immediate" | Consistency): Consistency =>
  option === "documented" ? documented : option === "immediate" ? immediate : option

const answerAt = (version: Version, now: number): Option.Option<KvEntry> =>
  now < version.expiresAt ? version.answer : Option.none()

const secondsOf = (millis: number): number | undefined =>
  millis === Number.POSITIVE_INFINITY ? undefined : Math.floor(millis / 1000)
