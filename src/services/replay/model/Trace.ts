import { createHash } from "node:crypto"
import { isLegalKey, limits } from "../../kv/Kv.ts"
import type { Collection } from "../../store/model/Collection.ts"
import type { Workload, WorkloadEntry, WorkloadRequest } from "../Workload.ts"

export type TraceOperation = "read" | "write" | "delete"

/** One line of a trace. */
export interface TraceRow {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly key: string
  /** Bytes of the value; undefined where the source does not say: then as many as the key's largest so far, or none. */
  readonly size: number | undefined
  readonly operation: TraceOperation
  readonly session: string | undefined
}

/** What had to be changed or left out before any stack saw the trace. */
export interface TraceNotes {
  /** Keys that KV would not take (over 512 bytes, `.`, `..`), replaced by their hash. */
  readonly hashedKeys: number
  /** Requests whose value was over 25 MiB, cut to that. */
  readonly cappedValues: number
  /** Requests that stood behind a later one. */
  readonly reordered: number
  /** Lines of the source that hold no request to a cache. */
  readonly unparsed: number
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
  readonly keys: ReadonlyArray<string>
  readonly notes: TraceNotes
}

const operations: ReadonlyArray<TraceOperation> = ["read", "write", "delete"]

/** Where times that are no dates begin: a Monday, 00:00 UTC, so that a day of the trace is a day of KV's limits. */
export const epoch = Date.UTC(2026, 0, 5)

/** Collects the rows of a trace. */
export const builder = () => {
  const at: Array<number> = []
  const key: Array<number> = []
  const size: Array<number> = []
  const operation: Array<number> = []
  const session: Array<number> = []
  const keys = new Map<string, number>()
  const sessions = new Map<string, number>()
  const largest: Array<number> = []
  let hashedKeys = 0
  let cappedValues = 0
  let reordered = 0
  let unparsed = 0

  const numberOfKey = (name: string): number => {
    const known = keys.get(name)
    if (known !== undefined) return known
    if (!isLegalKey(name)) hashedKeys += 1
    keys.set(name, keys.size)
    return keys.size - 1
  }

  return {
    add: (row: TraceRow): void => {
      const number = numberOfKey(row.key)
      const said = row.size ?? largest[number] ?? 0
      const bytes = Math.min(said, limits.valueBytes)
      if (bytes < said) cappedValues += 1
      largest[number] = Math.max(largest[number] ?? 0, bytes)
      if (at.length > 0 && row.at < at[at.length - 1]!) reordered += 1
      at.push(row.at)
      key.push(number)
      size.push(bytes)
      operation.push(operations.indexOf(row.operation))
      session.push(row.session === undefined ? -1 : numberOf(sessions, row.session))
    },
    skip: (): void => {
      unparsed += 1
    },
    rows: (): number => at.length,
    /** The rows in order of time; of those at one moment, in the order added. */
    finish: (name: string): Trace => {
      const order = at.map((_, row) => row)
      if (reordered > 0) order.sort((a, b) => at[a]! - at[b]! || a - b)
      const column = (values: ReadonlyArray<number>) => order.map((row) => values[row]!)
      return {
        name,
        at: Float64Array.from(column(at)),
        key: Uint32Array.from(column(key)),
        size: Uint32Array.from(column(size)),
        operation: Uint8Array.from(column(operation)),
        session: Int32Array.from(column(session)),
        keys: Array.from(keys.keys(), (name) => (isLegalKey(name) ? name : sha256(name))),
        notes: { hashedKeys, cappedValues, reordered, unparsed }
      }
    }
  }
}

/** The workload of a trace: all its keys are in the store of record when it begins, each at its largest size. */
export const toWorkload = (trace: Trace, collection: Collection): Workload["Type"] => {
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
      session: trace.session[row] === -1 ? undefined : trace.session[row]!
    }),
    entries: trace.keys.map((key, index): WorkloadEntry => ({ collection, key, size: sizes[index]!, initial: true }))
  }
}

const numberOf = (numbers: Map<string, number>, name: string): number => {
  const known = numbers.get(name)
  if (known !== undefined) return known
  numbers.set(name, numbers.size)
  return numbers.size - 1
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url")
