/** One row of `EXPLAIN`. SQLite promises nothing of its format, so what is not as expected counts as every table. */
export interface Instruction {
  readonly opcode: string
  readonly p1: number
  readonly p2: number
  readonly p3: number
  readonly p4: string | null
}

/** A row of `sqlite_schema`. */
export interface SchemaRow {
  readonly type: string
  readonly tbl_name: string
  readonly rootpage: number | null
}

/** Names of tables, or every table. */
export type Tables = ReadonlySet<string> | "all"

export interface Access {
  readonly reads: Tables
  readonly writes: Tables
  /** Whether the same tables give the same answer. */
  readonly deterministic: boolean
}

export const unknownAccess: Access = { reads: "all", writes: "all", deterministic: false }

/** The table that holds the schema has the first page; it changes with every migration. */
const schemaTable = "sqlite_schema"

const reading = new Set(["OpenRead", "ReopenIdx"])
/** `Clear` is DELETE without a condition; `Destroy` drops, and `ParseSchema` follows any change of the schema. */
const writing = new Set(["OpenWrite"])

/** Functions whose answer depends on more than their arguments. Dates are among them for the sake of `'now'`. */
const changing = new Set([
  "random",
  "randomblob",
  "date",
  "time",
  "datetime",
  "julianday",
  "unixepoch",
  "strftime",
  "timediff",
  "current_date",
  "current_time",
  "current_timestamp",
  "changes",
  "total_changes",
  "last_insert_rowid"
])

/**
 * What a statement reads and writes, by the root pages that its bytecode opens. Triggers, views and the tables that
 * foreign keys are checked in are among them, since they are part of the bytecode.
 */
export const accessOf = (program: ReadonlyArray<Instruction>, schema: ReadonlyArray<SchemaRow>): Access => {
  if (!program.some(({ opcode }) => opcode === "Init")) return unknownAccess
  const tables = new Map<number, string>([[1, schemaTable]])
  for (const { rootpage, tbl_name } of schema) if (rootpage) tables.set(rootpage, tbl_name)
  const reads = new Set<string>()
  const writes = new Set<string>()
  let deterministic = true
  let readsAll = false
  let writesAll = false
  for (const { opcode, p1, p2, p3, p4 } of program) {
    if (typeof opcode !== "string" || typeof p2 !== "number") return unknownAccess
    // The second database holds temporary tables, which no other statement sees.
    if (reading.has(opcode) && p3 !== 1) {
      const table = tables.get(p2)
      if (table === undefined) readsAll = true
      else reads.add(table)
    } else if (writing.has(opcode) && p3 !== 1) {
      const table = tables.get(p2)
      if (table === undefined) writesAll = true
      else writes.add(table)
    } else if (opcode === "Clear") {
      const table = tables.get(p1)
      if (p2 !== 0) continue
      if (table === undefined) writesAll = true
      else writes.add(table)
    } else if (opcode === "Destroy" || opcode === "ParseSchema" || opcode === "DropTable" || opcode === "VUpdate") {
      writesAll = true
    } else if (opcode === "VOpen") {
      // json_each and its like have no tables of their own; the schema's virtual tables keep theirs from the bytecode.
      if (schema.some(({ rootpage, type }) => type === "table" && !rootpage)) readsAll = true
    } else if (opcode === "Function" || opcode === "PureFunc" || opcode === "Function0") {
      if (changing.has((p4 ?? "").replace(/\(.*$/, "").toLowerCase())) deterministic = false
    }
  }
  return { reads: readsAll ? "all" : reads, writes: writesAll ? "all" : writes, deterministic }
}

export const isReadOnly = ({ writes }: Access): boolean => writes !== "all" && writes.size === 0
