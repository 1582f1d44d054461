import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type { Collection } from "../store/model/Collection.ts"
import { slotBytes } from "../tiers/MemoryTier.ts"
import { addressOf } from "../tiers/ReadPath.ts"

/** A file that cannot be replayed; `detail` is one line that says what to change. */
export class WorkloadError extends Data.TaggedError("WorkloadError")<{
  readonly operation: "read"
  readonly reason: "NoFile" | "BadHeader" | "BadRow" | "Empty" | "TooLarge"
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return this.detail
  }
}

/** One key of a workload. */
export interface WorkloadEntry {
  readonly collection: Collection
  readonly key: string
  /** Bytes of its largest value. */
  readonly size: number
  /** Whether the store of record holds it when the workload begins. */
  readonly initial: boolean
}

/**
 * One invocation of the Worker: a request, or one firing of a cron. Moments are milliseconds since the epoch, entries
 * are positions in `Workload.entries`, sessions are numbered from 0.
 */
export type WorkloadRequest =
  | {
      readonly kind: "read" | "write" | "delete"
      readonly at: number
      readonly entry: number
      /** Bytes of the value written; of no account to the other kinds. */
      readonly size: number
      readonly session: number | undefined
      /** Of a write: milliseconds that the value lives; the collection's ttl without it. */
      readonly ttl?: number
      /** Of a read: the key as it was spelled, where that is not the entry's own key. */
      readonly asked?: string
    }
  /** A read of several keys of one collection, each as it was spelled. */
  | {
      readonly kind: "readMany"
      readonly at: number
      readonly entries: ReadonlyArray<number>
      readonly asked: ReadonlyArray<string>
      readonly session: number | undefined
    }
  /** A cron that writes several entries of one collection, each as large as the entry says. */
  | { readonly kind: "writeMany"; readonly at: number; readonly entries: ReadonlyArray<number> }
  /** A sweep over the alerts: reads and changes every state, and counts the failures of some providers. */
  | {
      readonly kind: "sweep"
      readonly at: number
      readonly states: ReadonlyArray<number>
      readonly failures: ReadonlyArray<number>
    }

/** What is replayed: the same requests at the same moments for every stack. */
export class Workload extends Context.Tag("larder/Workload")<
  Workload,
  {
    readonly name: string
    /** Requests, in the order of their arrival. */
    readonly length: number
    readonly request: (index: number) => WorkloadRequest
    readonly entries: ReadonlyArray<WorkloadEntry>
    /** Reads run a loader for what is missing, which takes so many milliseconds; without it they find nothing. */
    readonly cacheAside?: number
  }
>() {}

/** Bytes that all keys would take in the memory tier at once, by its own accounting. */
export const uniqueBytes = (workload: Workload["Type"]): number =>
  workload.entries.reduce((sum, { collection, key, size }) => sum + slotBytes(addressOf(collection, key).id, size), 0)

/**
 * One logical operation on one entry. `throttle`: the failure count of a provider, which need not be in the store of
 * record at all, read and written once.
 */
export type WorkloadOperation = "read" | "write" | "delete" | "throttle"

/** Calls `visit` with every logical operation in order. A sweep reads all states before it writes one. */
export const forEachOperation = (
  workload: Workload["Type"],
  visit: (operation: WorkloadOperation, entry: number, at: number) => void
): void => {
  for (let index = 0; index < workload.length; index++) {
    const request = workload.request(index)
    switch (request.kind) {
      case "readMany":
        for (const entry of request.entries) visit("read", entry, request.at)
        break
      case "writeMany":
        for (const entry of request.entries) visit("write", entry, request.at)
        break
      case "sweep":
        for (const state of request.states) visit("read", state, request.at)
        for (const state of request.states) visit("write", state, request.at)
        for (const failure of request.failures) visit("throttle", failure, request.at)
        break
      default:
        visit(request.kind, request.entry, request.at)
    }
  }
}

export interface WorkloadCounts {
  readonly requests: number
  readonly reads: number
  readonly writes: number
  readonly deletes: number
}

/** Requests, and the logical operations in them; a throttled failure is a read and a write. */
export const countsOf = (workload: Workload["Type"]): WorkloadCounts => {
  const counts = { read: 0, write: 0, delete: 0, throttle: 0 }
  forEachOperation(workload, (operation) => {
    counts[operation] += 1
  })
  return {
    requests: workload.length,
    reads: counts.read + counts.throttle,
    writes: counts.write + counts.throttle,
    deletes: counts.delete
  }
}

/**
 * First-time reads of the sessions in the second half of the workload: what a predictor could have predicted.
 * Requests without a session are taken for one.
 */
export const coverableOf = (workload: Workload["Type"]): number => {
  const seen = new Set<number>()
  let coverable = 0
  for (let index = 0; index < workload.length; index++) {
    const request = workload.request(index)
    for (const entry of readsOf(request)) {
      const known = seen.size
      seen.add((("session" in request ? (request.session ?? -1) : -1) + 1) * workload.entries.length + entry)
      if (seen.size > known && index * 2 >= workload.length) coverable += 1
    }
  }
  return coverable
}

/** The entries that a client's request reads, in order. */
export const readsOf = (request: WorkloadRequest): ReadonlyArray<number> =>
  request.kind === "read" ? [request.entry] : request.kind === "readMany" ? request.entries : []
