import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Tables } from "./model/Bytecode.ts"
import type { DatabaseError } from "./QueryCache.ts"

/** Names of tables, or every table, as it crosses an RPC. */
export type TableNames = ReadonlyArray<string> | "all"

export interface TablesState {
  /** Changes when a write to one of the tables ends. */
  readonly version: string
  /** Whether a write to one of them is under way: then nothing may be kept or answered from what is. */
  readonly writing: boolean
}

/**
 * Counters of the writes to each table, in one place for all isolates. A write is announced before it begins and counted
 * when it has ended, so that an answer is never older than a write that was committed.
 */
export class TableVersions extends Context.Tag("larder/TableVersions")<
  TableVersions,
  {
    /** False where nobody counts, so that `strict` answers are never kept. */
    readonly enabled: boolean
    readonly read: (tables: Tables) => Effect.Effect<TablesState, DatabaseError>
    /** Announces a write; the identifier ends it. A write that is never ended counts as ended after a minute. */
    readonly begin: (tables: Tables) => Effect.Effect<string, DatabaseError>
    readonly end: (id: string) => Effect.Effect<void, DatabaseError>
  }
>() {}

/** As names cross an RPC. */
export const namesOf = (tables: Tables): TableNames => (tables === "all" ? "all" : [...tables].sort())
