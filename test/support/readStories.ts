import { it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { define } from "../../src/services/Collection.ts"
import type { EdgeCache } from "../../src/services/EdgeCache.ts"
import type { Kv } from "../../src/services/Kv.ts"
import { Ledger } from "../../src/services/Ledger.ts"
import type { ReadPath } from "../../src/services/ReadPath.ts"
import type { Store } from "../../src/services/Store.ts"
import { kvMode } from "./worlds.ts"

/** What KV has billed so far. */
export const billed = Effect.map(Ledger, (ledger) => ledger.report().total.kv)

/** A minute in memory, ten in all. */
export const quotes = define("quotes", { jitter: 0, memoryTtl: Duration.seconds(60), ttl: Duration.minutes(10) })

/** Told in an isolate of its own, in KV mode. */
export const story = <E>(
  title: string,
  body: Effect.Effect<void, E, Store | Kv | Ledger | EdgeCache | ReadPath>,
  options: Parameters<typeof kvMode>[0] = {}
) => it.effect(title, () => Effect.provide(body, kvMode(options)))
