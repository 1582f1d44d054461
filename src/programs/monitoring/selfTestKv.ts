import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Kv, type KvError } from "../../services/kv/Kv.ts"
import { selfTestKey } from "../../services/kv/model/PhysicalKey.ts"
import { Settings } from "../../services/settings/Settings.ts"

/** What one operation came to: `ok`, or why not; `TimedOut` after the settings' `kvDeadline`. */
export type Outcome = "ok" | KvError["reason"] | "TimedOut"

export interface SelfTest {
  /** KV answers. Being told to write less often is an answer. */
  readonly ok: boolean
  readonly write: Outcome
  readonly read: Outcome
  readonly delete: Outcome
  /** Whether the read saw the write. KV does not promise that, so it is no failure. */
  readonly sawItsWrite: boolean
  /** Milliseconds since the epoch. */
  readonly testedAt: number
}

/** How long a result is given again: KV takes one write a second to a key, and each test bills three operations. */
export const restBetween = Duration.minutes(1)

/**
 * Writes, reads and deletes one key of its own: the only program that touches KV past the store. Run again within a
 * minute it answers with what it knows, `undefined` while the first test is still under way.
 */
export const make = Effect.map(Effect.all([Kv, Settings]), ([kv, settings]) => {
  let startedAt = Number.NEGATIVE_INFINITY
  let last: SelfTest | undefined

  const tried = <A>(effect: Effect.Effect<A, KvError>): Effect.Effect<readonly [Outcome, A | undefined]> =>
    effect.pipe(
      Effect.timeoutTo({
        duration: settings.kvDeadline,
        onTimeout: () => ["TimedOut", undefined] as const,
        onSuccess: (value): readonly [Outcome, A | undefined] => ["ok", value]
      }),
      Effect.catchAll((error) => Effect.succeed([error.reason, undefined] as const))
    )

  const test = (now: number): Effect.Effect<SelfTest> =>
    Effect.gen(function* () {
      const mark = new TextEncoder().encode(String(now))
      const [write] = yield* tried(kv.put(selfTestKey, mark, { expirationTtl: 60 }))
      const [read, found] = yield* tried(kv.get(selfTestKey))
      const [removal] = yield* tried(kv.delete(selfTestKey))
      return {
        ok: [write, read, removal].every((outcome) => outcome === "ok" || outcome === "RateLimited"),
        write,
        read,
        delete: removal,
        sawItsWrite: found?._tag === "Some" && new TextDecoder().decode(found.value.value) === String(now),
        testedAt: now
      }
    })

  return Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<SelfTest | undefined> => {
    if (now - startedAt < Duration.toMillis(restBetween)) return Effect.succeed(last)
    startedAt = now
    return Effect.tap(test(now), (result) => {
      last = result
    })
  })
})
