import * as Context from "effect/Context"

/**
 * The KV operations that the running invocation has left; Workers allow 1,000, a bulk read counting for one
 * (kv/platform/limits, 2026-04-21). Only a simulation needs telling: unlimited where nobody provided a count.
 */
export class KvInvocation extends Context.Reference<KvInvocation>()("larder/KvInvocation", {
  defaultValue: (): { remaining: number } => ({ remaining: Number.POSITIVE_INFINITY })
}) {}
