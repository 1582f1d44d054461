import * as Effect from "effect/Effect"
import type { DatabaseDescription, SchemaObject, TableStatistics } from "../../services/database/IndexAdvisor.ts"
import { QueryCache } from "../../services/database/QueryCache.ts"

/** Rows of a table that are looked at for its columns' different values. */
const sampleRows = 2000

/** Tables that SQLite, D1 or wrangler keep for themselves. */
const internal = /^(sqlite_|_cf_|d1_)/

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** The schema, and of each table the number of rows and the different values of each column, from a sample. */
export const describeDatabase = Effect.gen(function* () {
  const queries = yield* QueryCache
  const { rows } = yield* queries.read<SchemaObject>({
    sql: 'SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema WHERE sql IS NOT NULL'
  })
  const objects = rows.filter(({ name, table }) => !internal.test(name) && !internal.test(table))
  const tables = yield* Effect.forEach(
    objects.filter(({ sql, type }) => type === "table" && !/^\s*create\s+virtual/i.test(sql)),
    ({ name, sql }) => describeTable(name, /without\s+rowid\s*(,\s*strict\s*)?;?\s*$/i.test(sql))
  )
  return { objects, tables } satisfies DatabaseDescription
})

const describeTable = (name: string, withoutRowid: boolean) =>
  Effect.gen(function* () {
    const queries = yield* QueryCache
    const one = (sql: string) =>
      Effect.map(queries.read<{ readonly n: number | null }>({ sql }), ({ rows }) => rows[0]?.n ?? 0)
    const table = quoted(name)
    // The highest rowid is one row to read; where rows were deleted, it says too much.
    const rows = yield* one(`SELECT ${withoutRowid ? "count(*)" : "max(rowid)"} AS n FROM ${table}`)
    const columns = yield* queries.read<{ readonly name: string }>({
      sql: "SELECT name FROM pragma_table_info(?)",
      bound: [name]
    })
    if (rows === 0) return { name, rows: 0, distinct: {} } satisfies TableStatistics
    const step = Math.max(1, Math.ceil(rows / sampleRows))
    const sample = withoutRowid
      ? `sample AS (SELECT * FROM ${table} LIMIT ${sampleRows})`
      : `points(i) AS (SELECT 1 UNION ALL SELECT i + ${step} FROM points WHERE i + ${step} <= ${rows}),
         sample AS (SELECT * FROM ${table} WHERE rowid IN (SELECT i FROM points))`
    // No compound SELECT: D1 allows five terms.
    const parts = columns.rows.map(
      (column) =>
        `(SELECT json_array(sum(c), count(*), sum(c = 1)) FROM
          (SELECT count(*) AS c FROM sample GROUP BY ${quoted(column.name)})) AS ${quoted(column.name)}`
    )
    const found = yield* queries.read<{ readonly [column: string]: string }>({
      sql: `WITH RECURSIVE ${sample} SELECT ${parts.join(", ")}`
    })
    const distinct = Object.fromEntries(
      Object.entries(found.rows[0] ?? {}).map(([column, counts]) => {
        const [n, d, once] = JSON.parse(counts) as readonly [number, number, number]
        return [column.toLowerCase(), distinctOf({ n, d, once }, rows)]
      })
    )
    return { name, rows, distinct } satisfies TableStatistics
  })

interface Sampled {
  readonly n: number
  readonly d: number
  readonly once: number
}

/**
 * Different values of a column from a sample: those seen more than once are taken for all of their kind, those seen once
 * for √(N ÷ n) of it (Charikar et al., "Towards estimation error guarantees for distinct values", 2000).
 */
const distinctOf = ({ d, n, once }: Sampled, rows: number): number =>
  n === 0 ? 1 : Math.max(1, Math.min(rows, Math.round(Math.sqrt(Math.max(1, rows / n)) * once + d - once)))
