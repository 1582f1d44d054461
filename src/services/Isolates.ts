import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Collection } from "./Collection.ts"
import type { Store } from "./Store.ts"

/** One isolate of a Worker: its own memory, and whatever a request finds in it. */
export interface Isolate {
  readonly store: Store["Type"]
  /** Failures by provider in this isolate's memory, or undefined where throttling goes through the store. */
  readonly throttle: Map<number, number> | undefined
  /** Runs one request: limits per invocation count from here, and what outlives the response dies with the isolate. */
  readonly invoke: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** Ends it without warning: nothing of its memory is saved, work behind a response stops. */
  readonly kill: Effect.Effect<void>
}

/** Where isolates come from, and the store of record that they share. */
export class Isolates extends Context.Tag("larder/Isolates")<
  Isolates,
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
  }
>() {}
