import type { DatabaseDescription, RecordedStatement } from "../../../services/database/IndexAdvisor.ts"
import { type Candidate, createSql, nameOf } from "../../../services/database/model/IndexCandidates.ts"
import { costOf, type Figures, type PlanRow } from "../../../services/database/model/PlanCost.ts"
import { type Columns, type Outline, outlineOf, placeholdersOf } from "../../../services/database/model/Predicates.ts"

/** A SQLite that may hold the copy of a schema for a while. */
export interface Sandbox {
  readonly exec: (
    sql: string,
    ...bound: ReadonlyArray<string | number | null>
  ) => ReadonlyArray<Record<string, unknown>>
  /** Runs the work and takes back all that it changed. */
  readonly rolledBack: <A>(work: () => A) => A
}

export interface ExistingIndex extends Candidate {
  readonly name: string
  readonly unique: boolean
  /** Made by CREATE INDEX, so that it can be dropped. */
  readonly made: boolean
}

/** A statement that can be explained here. */
export interface Workload extends RecordedStatement {
  readonly outline: Outline
}

/** An empty copy of a database with its figures, to explain statements in as if an index were there. */
export interface WhatIf {
  readonly columns: Columns
  readonly figures: Figures
  readonly indexes: ReadonlyArray<ExistingIndex>
  readonly workload: ReadonlyArray<Workload>
  readonly create: (candidate: Candidate) => void
  readonly drop: (candidate: Candidate) => void
  readonly plan: (statement: Workload) => ReadonlyArray<PlanRow>
  readonly cost: (statement: Workload) => number
}

export const makeWhatIf = (
  sandbox: Sandbox,
  { objects, tables }: DatabaseDescription,
  statements: ReadonlyArray<RecordedStatement>
): WhatIf => {
  for (const type of ["table", "index", "view", "trigger"]) {
    for (const object of objects) if (object.type === type) sandbox.exec(object.sql)
  }
  const rows = new Map(tables.map(({ name, rows }) => [name.toLowerCase(), rows]))
  const distinct = new Map(tables.map(({ distinct, name }) => [name.toLowerCase(), distinct]))
  const columns = new Map<string, ReadonlySet<string>>()
  const indexes: Array<ExistingIndex> = []
  for (const { name, type } of objects) {
    if (type !== "table") continue
    const table = name.toLowerCase()
    const info = sandbox.exec("SELECT name, pk, type FROM pragma_table_info(?) ORDER BY cid", name)
    columns.set(table, new Set(info.map((column) => String(column.name).toLowerCase())))
    for (const index of sandbox.exec('SELECT name, "unique" AS one, origin FROM pragma_index_list(?)', name)) {
      const parts = sandbox.exec("SELECT name FROM pragma_index_info(?) ORDER BY seqno", String(index.name))
      indexes.push({
        name: String(index.name),
        table,
        unique: index.one === 1,
        made: index.origin === "c",
        columns: parts.map((part) => String(part.name).toLowerCase())
      })
    }
  }
  const made = new Map<string, Candidate>()
  const known = new Map(indexes.map((index) => [index.name.toLowerCase(), index]))
  const figures: Figures = {
    rowsOf: (table) => rows.get(table) ?? 0,
    distinctOf: (table, column) => distinct.get(table)?.[column] ?? Math.max(1, (rows.get(table) ?? 0) / 10),
    indexOf: (index) => {
      const found = known.get(index)
      if (found !== undefined) return found
      const candidate = made.get(index)
      return candidate && { ...candidate, unique: false }
    }
  }

  /** What ANALYZE would say of an index: rows, then rows for one value of ever more columns. */
  const statOf = ({ columns: all, table }: Candidate, unique: boolean): string => {
    const total = Math.round(figures.rowsOf(table))
    let left = total
    const each = all.map((column, i) => {
      left = Math.max(1, left / Math.max(1, figures.distinctOf(table, column)))
      return unique && i === all.length - 1 ? 1 : Math.max(1, Math.round(left))
    })
    return [total, ...each].join(" ")
  }
  const insertStat = "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)"
  const reload = () => sandbox.exec("ANALYZE sqlite_schema")
  sandbox.exec("ANALYZE")
  for (const table of columns.keys()) {
    const own = indexes.filter((index) => index.table === table)
    if (own.length === 0) sandbox.exec(insertStat, table, null, String(Math.round(figures.rowsOf(table))))
    for (const index of own) sandbox.exec(insertStat, table, index.name, statOf(index, index.unique))
  }
  reload()

  let explained = 0
  const plan = ({ sql }: RecordedStatement): ReadonlyArray<PlanRow> => {
    const bound = Array.from({ length: placeholdersOf(sql) }, () => null)
    explained += 1
    // A new text each time: workerd keeps prepared statements, and a kept EXPLAIN does not notice that the schema changed.
    return sandbox.exec(`/* ${explained} */ EXPLAIN QUERY PLAN ${sql}`, ...bound) as unknown as ReadonlyArray<PlanRow>
  }

  const workload = statements.flatMap((statement): ReadonlyArray<Workload> => {
    try {
      plan(statement)
      return [{ ...statement, outline: outlineOf(statement.sql, columns) }]
    } catch {
      // It names what is not there any more, or something that this SQLite does not know.
      return []
    }
  })

  return {
    columns,
    figures,
    indexes,
    workload,
    create: (candidate) => {
      made.set(nameOf(candidate).toLowerCase(), candidate)
      sandbox.exec(createSql(candidate))
      sandbox.exec(insertStat, candidate.table, nameOf(candidate), statOf(candidate, false))
      reload()
    },
    drop: (candidate) => {
      made.delete(nameOf(candidate).toLowerCase())
      sandbox.exec(`DROP INDEX "${nameOf(candidate)}"`)
    },
    plan,
    cost: (statement) => costOf(plan(statement), statement.outline, figures)
  }
}
