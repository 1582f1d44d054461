import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { StatementCounts } from "./model/StatementCounts.ts"

/** `NotBound`: this Worker has no database. `NotMigrated`: a table or column is missing. `Failed`: the query failed. */
export class DatabaseError extends Data.TaggedError("DatabaseError")<{
  readonly operation: "read" | "write"
  readonly reason: "NotBound" | "NotMigrated" | "Failed"
  readonly cause?: unknown
}> {
  override get message(): string {
    return `database ${this.operation} failed: ${this.reason}${this.cause instanceof Error ? ` (${this.cause.message})` : ""}`
  }
}

/** What D1 binds to a placeholder. */
export type Value = string | number | null | ArrayBuffer

/**
 * How old an answer may be.
 *
 * - `none`: asked anew each time.
 * - `isolate`: this isolate's own writes are seen at once, those of others within `ttl` milliseconds.
 * - `strict`: never older than a committed write that went through a `QueryCache`. The object that counts writes is asked
 *   before, so a statement is kept only where it reads more rows than such a request costs.
 */
export type Freshness =
  | { readonly kind: "none" }
  | { readonly kind: "isolate"; readonly ttl: number }
  | { readonly kind: "strict" }

export interface Query {
  readonly sql: string
  readonly bound?: ReadonlyArray<Value>
}

export interface QueryResult<R = Record<string, unknown>> {
  /** The caller's own: nobody else is given the same. */
  readonly rows: ReadonlyArray<R>
  /** Rows that a write inserted, changed or deleted. */
  readonly changes: number
  /** Of the database itself; 0 for a cached answer. */
  readonly rowsRead: number
  readonly rowsWritten: number
}

/** What is kept of one statement, literals replaced. */
export interface StatementStatistics extends StatementCounts {
  readonly sql: string
  /** One of them as it was written, placeholders and all. */
  readonly example: string
  /** The tables that it writes; none for a query. */
  readonly writes: ReadonlyArray<string>
}

/** Of this isolate; the most rows read come first. */
export interface Recorded {
  /** Milliseconds since the epoch when recording began. */
  readonly since: number
  readonly statements: ReadonlyArray<StatementStatistics>
}

/**
 * A database whose answers are kept by the tables that SQLite's own bytecode says they come from. A write through it
 * ends what this isolate holds of the tables that it writes, triggers and foreign keys included.
 */
export class QueryCache extends Context.Tag("larder/QueryCache")<
  QueryCache,
  {
    /** Runs a statement that only reads. One whose answer may differ next time (`random()`, the time) is never kept. */
    readonly read: <R = Record<string, unknown>>(
      query: Query,
      freshness?: Freshness
    ) => Effect.Effect<QueryResult<R>, DatabaseError>
    /** Runs statements in one transaction, reading ones among them. */
    readonly write: (queries: ReadonlyArray<Query>) => Effect.Effect<ReadonlyArray<QueryResult>, DatabaseError>
    readonly recorded: () => Recorded
  }
>() {}
