import * as Context from "effect/Context"

/** Operations that one invocation may ask of KV, a bulk read counting for one. Source: kv/platform/limits, 2026-04-21. */
export const operationsPerInvocation = 1000

/**
 * The KV operations that the running invocation has left. Only a simulation needs telling: unlimited where nobody
 * provided a count.
 */
export class KvInvocation extends Context.Reference<KvInvocation>()("larder/KvInvocation", {
  defaultValue: (): { remaining: number } => ({ remaining: Number.POSITIVE_INFINITY })
}) {}
