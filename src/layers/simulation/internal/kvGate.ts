import * as Effect from "effect/Effect"
import * as KvAllowance from "../../../services/budget/model/KvAllowance.ts"
import { KvError, type KvOperation, type KvReason } from "../../../services/kv/Kv.ts"
import { KvInvocation } from "../../../services/kv/KvInvocation.ts"
import type { KvKind } from "../../../services/ledger/model/KvKind.ts"
import * as KvLatency from "../../../services/simulation/model/KvLatency.ts"

/** What stands before and after every simulated operation: the limits it must pass, and the time its reply takes. */
export interface KvGate {
  /** Runs an operation on `keys` keys unless the invocation's or the day's limit is reached. */
  readonly within: <A>(
    operation: KvOperation,
    kind: KvKind,
    keys: number,
    answer: (now: number) => Effect.Effect<A, KvError>
  ) => Effect.Effect<A, KvError>
  readonly reply: <A>(value: A, quantiles: KvLatency.Quantiles) => Effect.Effect<A>
  /** Refuses as KV does, in its words, after the time of a round trip. */
  readonly refuse: (operation: KvOperation, reason: KvReason, text: string) => Effect.Effect<never, KvError>
}

export const make = (
  options: { readonly daily?: KvAllowance.DailyAllowance; readonly latency?: "published" | "none" },
  random: () => number
): KvGate => {
  const take = KvAllowance.make(options.daily ?? {})

  const after = <A, E>(quantiles: KvLatency.Quantiles, outcome: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    options.latency === "none"
      ? outcome
      : Effect.zipRight(Effect.sleep(Math.round(KvLatency.millisAt(quantiles, random()))), outcome)

  const refuse = (operation: KvOperation, reason: KvReason, text: string): Effect.Effect<never, KvError> =>
    after(KvLatency.central, Effect.fail(new KvError({ operation, reason, cause: new Error(text) })))

  return {
    within: (operation, kind, keys, answer) =>
      Effect.flatMap(KvInvocation, (invocation) =>
        Effect.clockWith((clock) => {
          if (invocation.remaining <= 0) {
            const cause = new Error("Too many API requests by single Worker invocation.")
            return Effect.fail(new KvError({ operation, reason: "InvocationLimit", cause }))
          }
          invocation.remaining -= 1
          const now = clock.unsafeCurrentTimeMillis()
          return take(kind, keys, now)
            ? answer(now)
            : refuse(operation, "DailyLimit", `KV ${verbs[kind]}() limit exceeded for the day.`)
        })
      ),
    reply: (value, quantiles) => after(quantiles, Effect.succeed(value)),
    refuse
  }
}

const verbs: { readonly [K in KvKind]: string } = { reads: "get", writes: "put", deletes: "delete", lists: "list" }
