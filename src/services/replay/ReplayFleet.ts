import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AlertRules } from "../alerts/AlertRules.ts"
import type { Usage } from "../ledger/model/Prices.ts"
import type { MarketData } from "../market/MarketData.ts"
import type { Throttle } from "../market/Throttle.ts"
import type { Notifier } from "../notifications/Notifier.ts"
import type { Repository } from "../repository/Repository.ts"
import type { Collection } from "../store/model/Collection.ts"
import type { Store } from "../store/Store.ts"
import type { Replayed } from "./model/Replayed.ts"

export type Desk = AlertRules | Repository | MarketData | Throttle | Notifier

/** One isolate of a Worker: its own memory, and whatever a request finds in it. */
export interface Isolate {
  readonly store: Store["Type"]
  /**
   * What a sweep of the alerts needs, over a store that is this isolate's own or stands before it; the providers named
   * fail meanwhile.
   */
  readonly desk: (store: Store["Type"], failing: ReadonlyArray<string>) => Context.Context<Desk>
  /** Whether failures of providers are kept in this isolate's memory, past the store. */
  readonly throttlesInMemory: boolean
  /** Writes what it has buffered, as every cron does when it is done. */
  readonly flush: Effect.Effect<void>
  /** Runs one request: limits per invocation count from here, and what outlives the response dies with the isolate. */
  readonly invoke: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** Ends it without warning: nothing of its memory is saved, work behind a response stops. */
  readonly kill: Effect.Effect<void>
}

/** Where isolates come from, and the store of record that they share. */
export class ReplayFleet extends Context.Tag("larder/ReplayFleet")<
  ReplayFleet,
  {
    /** A new one, with nothing in memory. Locations are numbered from 0. */
    readonly start: (location: number) => Effect.Effect<Isolate>
    /** What the store of record holds for a key, past every cache and every delay. */
    readonly current: (collection: Collection, key: string) => Effect.Effect<Uint8Array | undefined>
    /**
     * Does now what the store of record has yet to do on account of what it took, such as a snapshot that waits for its
     * hour, so that the workload is billed for it however early it ends.
     */
    readonly settle: Effect.Effect<void>
    /** What the store of record is billed for in so many milliseconds without any request, what is stored left out. */
    readonly atRest: (millis: number) => Usage
    /** Which store keeps what is stored. */
    readonly keeps: "kv" | "durableObject"
    /** For how long the store of record itself may show what had been there before a write. Milliseconds. */
    readonly lagMillis: number
    /** What all predictors together predicted so far; undefined without any. */
    readonly predicted: (() => Replayed["prefetch"]) | undefined
  }
>() {}
