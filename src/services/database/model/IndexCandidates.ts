import type { Outline } from "./Predicates.ts"

export interface Candidate {
  readonly table: string
  readonly columns: ReadonlyArray<string>
}

/** Columns of a candidate at most: more serve ever fewer statements, and are written with every change. */
const maxColumns = 4

export const nameOf = ({ columns, table }: Candidate): string => `${table}_by_${columns.join("_")}`

const quoted = (name: string): string => (/^[a-z_]\w*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`)

export const createSql = (candidate: Candidate): string =>
  `CREATE INDEX ${quoted(nameOf(candidate))} ON ${quoted(candidate.table)} (${candidate.columns.map(quoted).join(", ")})`

/** Whether an index begins with the columns of another, in their order. */
export const covers = (index: ReadonlyArray<string>, columns: ReadonlyArray<string>): boolean =>
  columns.every((column, i) => index[i] === column)

/**
 * Indexes that could serve a statement: columns that it compares for equality first, the more different values the
 * earlier, then one that it ranges over, or those that it sorts by.
 */
export const candidatesOf = (
  { aliases, orderBy, predicates }: Outline,
  distinctOf: (table: string, column: string) => number
): ReadonlyArray<Candidate> => {
  const found = new Map<string, Candidate>()
  for (const [alias, table] of aliases) {
    const constants = new Set<string>()
    const joins = new Set<string>()
    const ranges = new Set<string>()
    for (const { kind, left, right } of predicates) {
      if (kind === "range") {
        if (left.alias === alias) ranges.add(left.column)
        continue
      }
      if (left.alias === alias) (right === undefined ? constants : joins).add(left.column)
      if (right?.alias === alias) joins.add(right.column)
    }
    const equal = [...constants].sort((a, b) => distinctOf(table, b) - distinctOf(table, a))
    const order = orderBy.every((column) => column.alias === alias) ? orderBy.map(({ column }) => column) : []
    const add = (...columns: ReadonlyArray<string>) => {
      const unique = [...new Set(columns)].slice(0, maxColumns)
      if (unique.length > 0) found.set(`${table} ${unique}`, { table, columns: unique })
    }
    for (const column of [...equal, ...joins, ...ranges]) add(column)
    add(...equal)
    for (const join of joins) {
      add(join, ...equal)
      add(...equal, join)
      for (const range of ranges) add(join, ...equal, range)
      for (const other of joins) add(join, other)
    }
    for (const range of ranges) add(...equal, range)
    add(...equal, ...order)
    add(...order)
  }
  return [...found.values()]
}
