import * as Context from "effect/Context"
import type { KvCounts } from "../ledger/Ledger.ts"

/** How the keys of one prefix are kept. */
export interface FacadePolicy {
  /**
   * Seconds that an isolate and its location may go on answering with what they have read, where the caller names no
   * `cacheTtl` of its own. Default 60, as KV's own; 0 asks KV every time.
   */
  readonly cacheTtl?: number
  /** `through`: a write is acknowledged when KV took it. `behind`: at once, and it is lost if the isolate dies before the flush. Default `through`. */
  readonly write?: "through" | "behind"
  /**
   * That nothing but this Worker writes to the namespace, so that a write of what is known to be there can be left out.
   * Other isolates' writes within `cacheTtl` are overlooked by it. Default false.
   */
  readonly exclusive?: boolean
}

/** How a namespace is kept behind its facade. */
export interface FacadeOptions extends FacadePolicy {
  /** By prefix of the key, what differs from the options beside it; the longest prefix of a key decides. */
  readonly policies?: { readonly [prefix: string]: FacadePolicy }
  /** Bytes that all facades of an isolate may hold in its memory; the first one decides. Default 50 MB of the isolate's 128. */
  readonly memoryBytes?: number
  /**
   * Turns the edge tier (the Cache API of each location, free) on under this name, which must belong to this namespace
   * alone among all Workers of the account: its id is a good one. Default off. No effect on workers.dev.
   */
  readonly edge?: string
  /** Seconds for which writes `behind` wait for later ones of their key, 0 to 25. Default 1. */
  readonly flushAfter?: number
  /**
   * That it is a KV Instant namespace, which keeps no metadata and takes one write a second in all: what it refuses is
   * tried for ten seconds, and what `cached` loads ends with its `ttl`, without `staleFor` and `graceFor` in KV. Default false.
   */
  readonly instant?: boolean
  /** Where values are kept, if not in the namespace itself: `durable()` of `larder-kv/durable`. */
  readonly store?: FacadeStore
}

/** Another place for the values of a namespace. */
export interface FacadeStore {
  readonly kind: "durable"
}

/** What was asked for and what it came to, since the isolate began; each an amount of keys that KV bills. */
export interface FacadeStats {
  /** Without Larder, each of these would have been billed. */
  readonly asked: KvCounts
  readonly billed: KvCounts
  /** Where the values are kept in objects. */
  readonly durableObject: { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number }
  /** Writes that were acknowledged and wait for their flush. */
  readonly buffered: number
  /** Dollars at list price, and the date of the price table. */
  readonly usd: { readonly asked: number; readonly billed: number; readonly saved: number; readonly pricesAsOf: string }
}

/** How a loaded value is kept. All in seconds. */
export interface LoadPolicy {
  /** Life of a loaded value, at least 60. */
  readonly ttl: number
  /** Beyond it, the old value is served while a new one is loaded behind the answer. Default 0. */
  readonly staleFor?: number
  /** Beyond it, the old value is served when the loader fails. Default 0. */
  readonly graceFor?: number
  /** That memory and edge may answer without asking KV. Default the facade's, never longer than `ttl`. */
  readonly cacheTtl?: number
}

/** The same of all namespaces of the isolate, and of each by the name of its binding. */
export interface LarderLedger extends FacadeStats {
  readonly byNamespace: { readonly [name: string]: FacadeStats }
}

/**
 * A KV namespace as Workers know it, on the tiers in front of it. Values stay plain, so that everybody else reads the
 * namespace as before; nothing that was not written through it is ever deleted or rewritten.
 */
export class KvFacade extends Context.Tag("larder/KvFacade")<
  KvFacade,
  {
    /**
     * The namespace for one event, whose `waitUntil` keeps what goes on behind its answers alive. Without it, nothing is
     * written behind, and a refresh may be lost.
     */
    readonly during: (context: Pick<ExecutionContext, "waitUntil"> | undefined) => KVNamespace
    /**
     * The value under a key, or what `load` makes, kept as JSON: once for all who miss it at once, and not over a write
     * that came meanwhile. A loader that gives undefined keeps nothing. Rejects with what the loader rejects with.
     */
    readonly getOrLoad: <A>(
      context: Pick<ExecutionContext, "waitUntil"> | undefined,
      key: string,
      load: () => A | Promise<A>,
      policy: LoadPolicy
    ) => Promise<A>
    /** Writes what is buffered now; fails with what KV refused it with. */
    readonly flush: (context: Pick<ExecutionContext, "waitUntil"> | undefined) => Promise<void>
    readonly stats: () => FacadeStats
  }
>() {}
