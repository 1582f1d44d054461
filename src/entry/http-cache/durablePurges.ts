import * as Duration from "effect/Duration"
import * as DurableCacheBinding from "../../layers/durable/DurableCacheBinding.ts"
import * as PurgeLogDurable from "../../layers/http-cache/PurgeLogDurable.ts"
import * as LedgerMemory from "../../layers/ledger/LedgerMemory.ts"
import { breakerLimits } from "../../services/base/model/Breaker.ts"
import type { PurgeLog } from "../../services/http-cache/PurgeLog.ts"
import * as Stamper from "../../services/store/Stamper.ts"
import { type DurableOptions, objectsIn } from "../facade/durableStore.ts"
import { tierSettings } from "../facade/namespace.ts"

const deadline = Duration.seconds(5)

/**
 * Keeps the purges of an HTTP cache in Durable Objects (the class {@link CacheDurableObject}), so that they reach every
 * location.
 *
 * @example
 * const cached = withHttpCache(handler, { purges: durablePurges() })
 */
export const durablePurges =
  ({ objects = "CACHE_DO", shards = 1 }: DurableOptions = {}) =>
  (env: unknown): PurgeLog => {
    const namespace = typeof objects === "string" ? objectsIn(env as object, objects) : objects
    const ledger = LedgerMemory.make(Date.now())
    const limits = { deadline, breaker: breakerLimits(tierSettings) }
    const writer = crypto.randomUUID().slice(0, 8)
    return PurgeLogDurable.make(
      DurableCacheBinding.make(namespace, shards, ledger, limits),
      Stamper.make(() => writer)
    )
  }
