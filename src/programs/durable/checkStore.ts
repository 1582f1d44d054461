import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { DurableCache, DurableCacheError } from "../../services/durable/DurableCache.ts"
import { Kv } from "../../services/kv/Kv.ts"
import { Settings } from "../../services/settings/Settings.ts"

/** Milliseconds between two askings: an object request costs little, a KV read is billed. */
const restMillis = { durable: 10_000, kv: 60_000 }

/** An id, and a key, under which there is nothing. */
const nothing = "~health"

export interface StoreHealth {
  /** The mode in force: `kv` too where the durable mode is asked for and its bindings are missing. */
  readonly mode: "durable" | "kv"
  readonly reachable: boolean
}

/**
 * Whether the store of record of the mode in force answers, asked by this isolate at most once in a while: in durable mode
 * an object, without any KV operation; in KV mode by one read a minute.
 */
export const make = Effect.map(Effect.all([Kv, DurableCache, Settings]), ([kv, durable, settings]) => {
  const mode = settings.durableMode && durable.enabled ? "durable" : "kv"
  let last: StoreHealth = { mode, reachable: true }
  let askedAt = Number.NEGATIVE_INFINITY

  const reachable: Effect.Effect<boolean> =
    mode === "durable"
      ? Effect.map(durable.getMany([`${nothing}/`]), ([found]) => !(found instanceof DurableCacheError))
      : kv
          .get(nothing)
          .pipe(Effect.timeout(settings.kvDeadline), Effect.match({ onFailure: () => false, onSuccess: () => true }))

  return Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<StoreHealth> => {
    if (now - askedAt < restMillis[mode]) return Effect.succeed(last)
    askedAt = now
    return Effect.map(reachable, (reachable) => {
      last = { mode, reachable }
      return last
    })
  })
})
