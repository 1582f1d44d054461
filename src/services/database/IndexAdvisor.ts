import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

export class AdvisorError extends Data.TaggedError("AdvisorError")<{
  readonly operation: "advise"
  /** `NotBound`: there is no object to try indexes in. */
  readonly reason: "NotBound" | "Failed"
  readonly cause?: unknown
}> {}

/** A row of `sqlite_schema`, what the database made for itself left out. */
export interface SchemaObject {
  readonly type: "table" | "index" | "view" | "trigger"
  readonly name: string
  readonly table: string
  readonly sql: string
}

export interface TableStatistics {
  readonly name: string
  readonly rows: number
  /** By column in lower case: different values, as far as a sample tells. */
  readonly distinct: { readonly [column: string]: number }
}

/** A database as the advisor sees it: its schema and figures, no content. */
export interface DatabaseDescription {
  readonly objects: ReadonlyArray<SchemaObject>
  readonly tables: ReadonlyArray<TableStatistics>
}

/** A statement that was run, with what it cost. */
export interface RecordedStatement {
  readonly sql: string
  readonly callsPerDay: number
  /** Of calls that reached the database. */
  readonly rowsReadPerCall: number
  readonly rowsReturnedPerCall: number
  readonly rowsWrittenPerCall: number
  /** The tables that it writes; none for a query. */
  readonly writes: ReadonlyArray<string>
}

export interface Advice {
  readonly kind: "create" | "drop" | "rewrite"
  /** What to run, or for a rewrite the statement that is meant. */
  readonly statement: string
  readonly reason: string
  readonly rowsSavedPerDay: number
  /** Rows read and written once, at list price. */
  readonly usdToBuild: number
  /** Rows written to keep an index current; below 0 is saved by dropping one. */
  readonly usdToKeepPerDay: number
  readonly usdSavedPerDay: number
  readonly planBefore: ReadonlyArray<string>
  readonly planAfter: ReadonlyArray<string>
}

/** Which indexes the recorded statements lack, tried on an empty copy of the schema before they are advised. */
export class IndexAdvisor extends Context.Tag("larder/IndexAdvisor")<
  IndexAdvisor,
  {
    /**
     * What saves most comes first. Nothing is applied.
     *
     * @param days for how long the statements were recorded: before a whole one, nothing is called unused
     */
    readonly advise: (
      database: DatabaseDescription,
      statements: ReadonlyArray<RecordedStatement>,
      days: number
    ) => Effect.Effect<ReadonlyArray<Advice>, AdvisorError>
  }
>() {}
