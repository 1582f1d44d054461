import { it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import type { Store } from "../../../src/services/store/Store.ts"
import type { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"
import type { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import type { ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import { kvMode } from "../worlds.ts"

/** What KV has billed so far. */
export const billed = Effect.map(Ledger, (ledger) => ledger.report().total.kv)

/** A minute in memory, ten in all. */
export const quotes = define("quotes", { jitter: 0, memoryTtl: Duration.seconds(60), ttl: Duration.minutes(10) })

/** Told in an isolate of its own, in KV mode. */
export const story = <E>(
  title: string,
  body: Effect.Effect<void, E, Store | Kv | Ledger | EdgeCache | ReadPath | MemoryTier>,
  options: Parameters<typeof kvMode>[0] = {}
) => it.effect(title, () => Effect.provide(body, kvMode(options)))
