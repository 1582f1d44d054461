import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { breakerLimits } from "../../../services/base/model/Breaker.ts"
import { type Kv, KvError, type KvOperation } from "../../../services/kv/Kv.ts"
import type { Settings } from "../../../services/settings/Settings.ts"
import { makeGuard, type Skipped, within } from "../../base/guard.ts"

/** How much longer a put may take for every MiB of its value. */
const perMebibyte = Duration.seconds(1)

/**
 * A namespace in which every operation has a deadline of its own, so that a batch takes as long as its operations do and
 * each of them has its own result. What only reads shares a breaker.
 */
export const withDeadlines = (kv: Kv["Type"], settings: Settings["Type"]): Kv["Type"] => {
  const { kvDeadline } = settings
  const guard = makeGuard<KvError>(kvDeadline, breakerLimits(settings), ({ reason }) => reason === "Unavailable")

  const reading = <A>(operation: KvOperation, effect: Effect.Effect<A, KvError>): Effect.Effect<A, KvError> =>
    Effect.mapError(guard.call(effect), (error: KvError | Skipped) =>
      error._tag === "KvError" ? error : new KvError({ operation, reason: "Unavailable", cause: error })
    )

  const writing = <A>(operation: KvOperation, effect: Effect.Effect<A, KvError>, bytes = 0) =>
    within(
      Duration.sum(kvDeadline, Duration.times(perMebibyte, bytes / 2 ** 20)),
      () => new KvError({ operation, reason: "Unavailable", cause: "deadline" })
    )(effect)

  return {
    get: (key, options) => reading("get", kv.get(key, options)),
    getBulk: (keys, options) => reading("getBulk", kv.getBulk(keys, options)),
    list: (options) => reading("list", kv.list(options)),
    put: (key, value, options) => writing("put", kv.put(key, value, options), value.byteLength),
    delete: (key) => writing("delete", kv.delete(key))
  }
}
