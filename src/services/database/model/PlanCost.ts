import type { Outline, Predicate } from "./Predicates.ts"

/** A row of `EXPLAIN QUERY PLAN`. */
export interface PlanRow {
  readonly id: number
  readonly parent: number
  readonly detail: string
}

/** What the estimate asks of the database. Names in lower case. */
export interface Figures {
  readonly rowsOf: (table: string) => number
  /** Different values of a column. */
  readonly distinctOf: (table: string, column: string) => number
  /** The table and columns of an index. */
  readonly indexOf: (
    index: string
  ) => { readonly table: string; readonly unique: boolean; readonly columns: ReadonlyArray<string> } | undefined
}

interface Loop {
  readonly alias: string
  readonly table: string
  readonly equal: ReadonlyArray<string>
  readonly ranged: ReadonlyArray<string>
  readonly search: boolean
  readonly automatic: boolean
  readonly one: boolean
}

/** SQLite's own guess of what a one-sided range leaves. */
const rangeSelectivity = 1 / 4

/** What `LIMIT ?` is taken for. */
const limitRows = 100

/**
 * Rows that a plan reads, estimated as nested loops: each loop reads what its constraint selects, once for every row
 * that the loops around it leave. Conditions outside of the index shrink what is left, not what is read.
 */
export const costOf = (plan: ReadonlyArray<PlanRow>, outline: Outline, figures: Figures): number => {
  const groups = new Map<number, Array<Loop>>()
  for (const row of plan) {
    const loop = loopOf(row.detail, outline, figures)
    if (loop === undefined) continue
    const group = groups.get(row.parent)
    if (group === undefined) groups.set(row.parent, [loop])
    else group.push(loop)
  }
  const sorted = plan.some(({ detail }) => /TEMP B-TREE FOR (ORDER|GROUP|LAST)/.test(detail))
  let total = 0
  for (const loops of groups.values()) total += costOfLoops(loops, outline, figures, outline.limited && !sorted)
  return total
}

const costOfLoops = (loops: ReadonlyArray<Loop>, outline: Outline, figures: Figures, stops: boolean): number => {
  const bound = new Set<string>()
  let times = 1
  let read = 0
  for (const loop of loops) {
    const rows = figures.rowsOf(loop.table)
    const one = (column: string) => 1 / Math.max(1, figures.distinctOf(loop.table, column))
    let selected = loop.one ? 1 : rows
    if (loop.search && !loop.one) {
      for (const column of loop.equal) selected *= one(column)
      for (const _ of loop.ranged) selected *= rangeSelectivity
      selected = Math.max(1, selected)
    }
    if (loop.automatic) read += rows
    read += times * selected
    let left = selected
    const done = new Set([...loop.equal, ...loop.ranged])
    for (const predicate of outline.predicates) {
      const own = ownColumn(predicate, loop.alias, bound)
      if (own === undefined || done.has(own)) continue
      done.add(own)
      left *= predicate.kind === "equal" ? one(own) : rangeSelectivity
    }
    times *= Math.max(left, 0.01)
    bound.add(loop.alias)
  }
  return stops && times > limitRows ? Math.max(limitRows, (read * limitRows) / times) : read
}

/** The column of a loop that a predicate restricts, once what it is compared with is known. */
const ownColumn = ({ left, right }: Predicate, alias: string, bound: ReadonlySet<string>): string | undefined => {
  if (left.alias === alias && (right === undefined || bound.has(right.alias))) return left.column
  return right?.alias === alias && bound.has(left.alias) ? right.column : undefined
}

const loopOf = (detail: string, { aliases }: Outline, { indexOf }: Figures): Loop | undefined => {
  const found = /^(SCAN|SEARCH) (?:TABLE )?(\S+)(.*)$/i.exec(detail)
  if (found === null) return undefined
  const [, verb, name, rest] = found as unknown as [string, string, string, string]
  const alias = (/ AS (\S+)/.exec(rest)?.[1] ?? name).toLowerCase()
  const index = /USING (?:COVERING )?INDEX (\S+)/.exec(rest)?.[1]?.toLowerCase()
  const known = index === undefined ? undefined : indexOf(index)
  const table = known?.table ?? aliases.get(alias) ?? alias
  const constraint = /\(([^)]*)\)\s*(?:LEFT-JOIN)?$/.exec(rest)?.[1] ?? ""
  const terms = constraint.split(" AND ")
  const named = (operator: RegExp) =>
    terms.filter((term) => operator.test(term)).map((term) => term.replace(operator, "").trim().toLowerCase())
  const equal = named(/(=\?| IN .*)$/)
  const rowid = /INTEGER PRIMARY KEY \(rowid=\?\)/.test(rest)
  const whole = known?.unique === true && known.columns.every((column) => equal.includes(column))
  return {
    alias,
    table,
    equal,
    ranged: [...new Set(named(/[<>]\??$/))],
    search: verb.toUpperCase() === "SEARCH",
    automatic: rest.includes("AUTOMATIC"),
    one: rowid || whole
  }
}
