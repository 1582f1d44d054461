import { createHash } from "node:crypto"
import { isLegalKey, limits } from "../../kv/Kv.ts"
import type { Collection } from "../../store/model/Collection.ts"
import type { Workload, WorkloadEntry, WorkloadRequest } from "../Workload.ts"
import { type GrowingColumn, growing } from "./GrowingColumn.ts"

export type TraceOperation = "read" | "write" | "delete"

/** One line of a trace. */
export interface TraceRow {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly key: string
  /** Bytes of the value; undefined where the source does not say: then as many as the key's largest anywhere. */
  readonly size: number | undefined
  readonly operation: TraceOperation
  readonly session: string | undefined
  /** Milliseconds that a written value lives; the collection's ttl without it. */
  readonly ttl?: number | undefined
  /** Of a read: the source found nothing under the key. */
  readonly absent?: boolean
}

/** What had to be changed or left out before any stack saw the trace. */
export interface TraceNotes {
  /** Keys that KV would not take (over 512 bytes, `.`, `..`, no Unicode), replaced by their hash. */
  readonly hashedKeys: number
  /** Requests whose value was over 25 MiB, cut to that. */
  readonly cappedValues: number
  /** Requests that stood behind a later one. */
  readonly reordered: number
  /** Lines of the source that hold no request to a cache. */
  readonly unparsed: number
  /** Writes and deletes that the source refused or that failed: they changed nothing. */
  readonly refusedWrites: number
  /** Keys whose size no line says; each counts as `assumedSize` bytes. */
  readonly unsizedKeys: number
  /** The median of the keys with a known size; 1,024 bytes where there are none. */
  readonly assumedSize: number
}

/** A recorded sequence of requests, in columns: a row is a position in each. */
export interface Trace {
  readonly name: string
  readonly at: Float64Array
  readonly key: Uint32Array
  readonly size: Uint32Array
  readonly operation: Uint8Array
  /** -1 for none. */
  readonly session: Int32Array
  /** Milliseconds; 0 for the collection's own. */
  readonly ttl: Float64Array
  readonly keys: ReadonlyArray<string>
  /** By key: 1 where the store of record does not hold it when the trace begins. */
  readonly startsAbsent: Uint8Array
  readonly notes: TraceNotes
}

export interface TraceLimits {
  /** Requests. */
  readonly rows: number
  /** Distinct keys, and distinct sessions. */
  readonly names: number
}

/** What a process with 2 GB of memory replays: about 150 bytes a request and 1,500 a key. */
export const defaultLimits: TraceLimits = { rows: 10_000_000, names: 1_000_000 }

/** More rows or names than a trace may hold. `rows` is how many fit. */
export class TraceTooLarge extends Error {
  readonly rows: number
  constructor(what: "requests" | "keys" | "sessions", most: number, rows: number) {
    super(`more than ${most.toLocaleString("en")} ${what}`)
    this.rows = rows
  }
}

const operations: ReadonlyArray<TraceOperation> = ["read", "write", "delete"]

/** Where times that are no dates begin: a Monday, 00:00 UTC, so that a day of the trace is a day of KV's limits. */
export const epoch = Date.UTC(2026, 0, 5)

const unsized = 0xffffffff

const usualSize = 1024

/** What is known of a key's value before the trace's first request: nothing, that it is missing, or that it is there. */
const beginnings = { unknown: 0, missing: 1, there: 2, missingThenWritten: 3 }

export type TraceBuilder = ReturnType<typeof builder>

/**
 * Collects the rows of a trace.
 *
 * @param first rows to take: those after them are passed over
 * @param most beyond this `add` throws {@link TraceTooLarge}
 */
export const builder = (first = Number.POSITIVE_INFINITY, most: TraceLimits = defaultLimits) => {
  const at = growing((length) => new Float64Array(length))
  const key = growing((length) => new Uint32Array(length))
  const size = growing((length) => new Uint32Array(length))
  const operation = growing((length) => new Uint8Array(length))
  const session = growing((length) => new Int32Array(length))
  const ttl = growing((length) => new Float64Array(length))
  const largest = growing((length) => new Uint32Array(length))
  const beginning = growing((length) => new Uint8Array(length))
  const keys = new Map<string, number>()
  const sessions = new Map<string, number>()
  const notes = { hashedKeys: 0, cappedValues: 0, reordered: 0, unparsed: 0, refusedWrites: 0 }

  const numberOfKey = (given: string): number => {
    const known = given.length <= limits.keyBytes ? keys.get(given) : undefined
    if (known !== undefined) return known
    const legal = isLegalKey(given)
    const name = legal ? given : hashOf(given)
    const number = keys.get(name)
    if (number !== undefined) return number
    if (keys.size >= most.names) throw new TraceTooLarge("keys", most.names, at.length())
    if (!legal) notes.hashedKeys += 1
    keys.set(name, keys.size)
    largest.push(unsized)
    beginning.push(beginnings.unknown)
    return keys.size - 1
  }

  const numberOfSession = (given: string): number => {
    const name = given.length > 64 ? hashOf(given) : given
    const known = sessions.get(name)
    if (known !== undefined) return known
    if (sessions.size >= most.names) throw new TraceTooLarge("sessions", most.names, at.length())
    sessions.set(name, sessions.size)
    return sessions.size - 1
  }

  /** A key is there when the trace begins, unless its first request finds nothing and none finds it before a write. */
  const noteBeginning = (number: number, { absent, operation }: TraceRow): void => {
    const known = beginning.at(number)
    if (operation !== "read") {
      beginning.set(number, known === beginnings.missing ? beginnings.missingThenWritten : known || beginnings.there)
    } else if (absent) {
      beginning.set(number, known || beginnings.missing)
    } else if (known !== beginnings.missingThenWritten) beginning.set(number, beginnings.there)
  }

  return {
    add: (row: TraceRow): void => {
      if (at.length() >= first) return
      if (at.length() >= most.rows) throw new TraceTooLarge("requests", most.rows, at.length())
      const by = row.session === undefined ? -1 : numberOfSession(row.session)
      const number = numberOfKey(row.key)
      const bytes = row.size === undefined ? unsized : Math.min(row.size, limits.valueBytes)
      if (row.size !== undefined && bytes < row.size) notes.cappedValues += 1
      const before = largest.at(number)
      if (bytes !== unsized && (before === unsized || bytes > before)) largest.set(number, bytes)
      if (at.length() > 0 && row.at < at.at(at.length() - 1)) notes.reordered += 1
      noteBeginning(number, row)
      at.push(row.at)
      key.push(number)
      size.push(bytes)
      operation.push(operations.indexOf(row.operation))
      session.push(by)
      ttl.push(row.ttl ?? 0)
    },
    skip: (): void => {
      notes.unparsed += 1
    },
    refuse: (): void => {
      notes.refusedWrites += 1
    },
    rows: (): number => at.length(),
    /** Whether it has the rows that were wanted. */
    full: (): boolean => at.length() >= first,
    /** The rows in order of time; of those at one moment, in the order added. */
    finish: (name: string): Trace => {
      const sizes = largest.trim()
      const assumedSize = medianOf(sizes.filter((bytes) => bytes !== unsized)) ?? usualSize
      let unsizedKeys = 0
      sizes.forEach((bytes, number) => {
        if (bytes !== unsized) return
        unsizedKeys += 1
        sizes[number] = assumedSize
      })
      const order = Uint32Array.from({ length: at.length() }, (_, row) => row)
      if (notes.reordered > 0) order.sort((a, b) => at.at(a) - at.at(b) || a - b)
      const sorted = <C extends Float64Array | Uint32Array | Int32Array | Uint8Array>(column: GrowingColumn<C>): C => {
        const trimmed = column.trim()
        return notes.reordered === 0 ? trimmed : (trimmed.map((_, row) => trimmed[order[row]!]!) as C)
      }
      const numbers = sorted(key)
      return {
        name,
        at: sorted(at),
        key: numbers,
        size: sorted(size).map((bytes, row) => (bytes === unsized ? sizes[numbers[row]!]! : bytes)),
        operation: sorted(operation),
        session: sorted(session),
        ttl: sorted(ttl),
        keys: [...keys.keys()],
        startsAbsent: beginning
          .trim()
          .map((known) => (known === beginnings.missing || known === beginnings.missingThenWritten ? 1 : 0)),
        notes: { ...notes, unsizedKeys, assumedSize }
      }
    }
  }
}

/**
 * The workload of a trace: its keys are in the store of record when it begins, each at its largest size.
 *
 * @param cacheAside instead nothing is there, and reads load what is missing in so many milliseconds
 */
export const toWorkload = (trace: Trace, collection: Collection, cacheAside?: number): Workload["Type"] => {
  const sizes = new Uint32Array(trace.keys.length)
  trace.key.forEach((key, row) => {
    sizes[key] = Math.max(sizes[key]!, trace.size[row]!)
  })
  return {
    name: trace.name,
    length: trace.at.length,
    request: (row): WorkloadRequest => ({
      kind: operations[trace.operation[row]!]!,
      at: trace.at[row]!,
      entry: trace.key[row]!,
      size: trace.size[row]!,
      session: trace.session[row] === -1 ? undefined : trace.session[row]!,
      ...(trace.ttl[row] === 0 ? {} : { ttl: trace.ttl[row]! })
    }),
    entries: trace.keys.map(
      (key, index): WorkloadEntry => ({
        collection,
        key,
        size: sizes[index]!,
        initial: cacheAside === undefined && trace.startsAbsent[index] === 0
      })
    ),
    ...(cacheAside === undefined ? {} : { cacheAside })
  }
}

const medianOf = (sizes: Uint32Array): number | undefined => sizes.toSorted()[Math.floor(sizes.length / 2)]

/** One of its own for every text, also for those that are no Unicode: as UTF-8 they would be alike. */
const hashOf = (text: string): string =>
  createHash("sha256")
    .update(text.isWellFormed() ? text : Buffer.from(text, "utf16le"))
    .digest("base64url")
