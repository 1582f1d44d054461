import type { TableNames, TablesState } from "../TableVersions.ts"

/** How long a write may be under way. D1 ends a query after 30 seconds. */
export const writeMillis = 60_000

interface Writer {
  readonly tables: TableNames
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** Writes to each table that have ended, and those under way. Plain data, so that one row keeps it. */
export interface WriteCounters {
  /** Of writes to every table, and of a table that was written by itself. */
  readonly all: number
  readonly tables: { readonly [table: string]: number }
  readonly writers: { readonly [id: string]: Writer }
}

export const noWrites: WriteCounters = { all: 0, tables: {}, writers: {} }

const overlap = (a: TableNames, b: TableNames): boolean =>
  a === "all" || b === "all" || a.some((table) => b.includes(table))

export const begun = (counters: WriteCounters, id: string, tables: TableNames, now: number): WriteCounters => ({
  ...counters,
  writers: { ...counters.writers, [id]: { tables, until: now + writeMillis } }
})

/** An unknown writer has ended already. */
export const ended = (counters: WriteCounters, id: string): WriteCounters => {
  const { [id]: writer, ...writers } = counters.writers
  if (writer === undefined) return counters
  if (writer.tables === "all") return { ...counters, all: counters.all + 1, writers }
  const tables = { ...counters.tables }
  for (const table of writer.tables) tables[table] = (tables[table] ?? 0) + 1
  return { ...counters, tables, writers }
}

/** Ends the writers whose time is over. */
export const withoutOverdue = (counters: WriteCounters, now: number): WriteCounters =>
  Object.entries(counters.writers)
    .filter(([, { until }]) => until <= now)
    .reduce((left, [id]) => ended(left, id), counters)

export const stateOf = (counters: WriteCounters, tables: TableNames): TablesState => ({
  version:
    tables === "all"
      ? `${counters.all} ${Object.values(counters.tables).reduce((sum, count) => sum + count, 0)}`
      : `${counters.all} ${tables.map((table) => counters.tables[table] ?? 0).join(" ")}`,
  writing: Object.values(counters.writers).some((writer) => overlap(writer.tables, tables))
})
