import * as Effect from "effect/Effect"
import { type Access, accessOf, type Instruction, type SchemaRow } from "../../../services/database/model/Bytecode.ts"
import { DatabaseError, type Query, type QueryResult } from "../../../services/database/QueryCache.ts"

/** The part of a D1 binding that is used. */
export type Database = Pick<D1Database, "prepare" | "batch">

export interface Answer extends QueryResult {
  readonly millis: number
}

const schemaSql = "SELECT type, tbl_name, rootpage FROM sqlite_schema"

/**
 * Runs the queries in one call, and asks in the same call what those that are named access. One query by itself is no
 * transaction.
 */
export const ask = (
  database: Database | undefined,
  operation: DatabaseError["operation"],
  queries: ReadonlyArray<Query>,
  unknown: ReadonlyArray<Query>,
  /** Called when the database has answered or refused, also when nobody waits for it any longer. */
  settled: (accesses: ReadonlyArray<Access>) => void
): Effect.Effect<ReadonlyArray<Answer>, DatabaseError> =>
  database === undefined
    ? Effect.fail(new DatabaseError({ operation, reason: "NotBound" }))
    : Effect.tryPromise({
        try: async () => {
          let accesses: ReadonlyArray<Access> = []
          try {
            if (unknown.length === 0) return (await answersOf(database, queries)).map(answerOf)
            const [schema, ...results] = await answersOf(database, [
              { sql: schemaSql },
              ...unknown.map((query) => ({ ...query, sql: `EXPLAIN ${query.sql}` })),
              ...queries
            ])
            const programs = results.splice(0, unknown.length) as ReadonlyArray<D1Result<Instruction>>
            accesses = programs.map((program) => accessOf(program.results, (schema as D1Result<SchemaRow>).results))
            return results.map(answerOf)
          } finally {
            settled(accesses)
          }
        },
        catch: (cause) =>
          new DatabaseError({
            operation,
            reason: /no such (table|column)/.test(String(cause)) ? "NotMigrated" : "Failed",
            cause
          })
      })

const answersOf = async (database: Database, queries: ReadonlyArray<Query>): Promise<Array<D1Result>> =>
  queries.length === 1
    ? [await prepared(database, queries[0]!).all()]
    : database.batch(queries.map((query) => prepared(database, query)))

const prepared = (database: Database, { bound = [], sql }: Query): D1PreparedStatement =>
  bound.length === 0 ? database.prepare(sql) : database.prepare(sql).bind(...bound)

const answerOf = ({ meta, results }: D1Result): Answer => ({
  rows: results as ReadonlyArray<Record<string, unknown>>,
  changes: meta.changes,
  rowsRead: meta.rows_read,
  rowsWritten: meta.rows_written,
  millis: meta.duration
})

/** All who joined a query are given its answer: each its own, as those are whose answer is kept. */
export const copied = (answer: QueryResult): QueryResult => ({ ...answer, rows: answer.rows.map((row) => rowOf(row)) })

/** D1 gives a blob as an array of its bytes. */
const rowOf = (row: Record<string, unknown>): Record<string, unknown> => {
  const copy = { ...row }
  for (const name in copy) if (Array.isArray(copy[name])) copy[name] = [...copy[name]]
  return copy
}
