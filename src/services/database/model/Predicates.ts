/** A column of one occurrence of a table in a statement. */
export interface ColumnRef {
  readonly alias: string
  readonly column: string
}

/** `equal` to another column is a join; without one, to something that the loop does not change. */
export interface Predicate {
  readonly kind: "equal" | "range"
  readonly left: ColumnRef
  readonly right: ColumnRef | undefined
}

/** What a statement says about the columns of its tables, as far as its words tell. Names are in lower case. */
export interface Outline {
  /** Table by alias; a table without one is its own. */
  readonly aliases: ReadonlyMap<string, string>
  readonly predicates: ReadonlyArray<Predicate>
  readonly orderBy: ReadonlyArray<ColumnRef>
  readonly limited: boolean
}

/** Columns by table, in lower case. */
export type Columns = ReadonlyMap<string, ReadonlySet<string>>

const token =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|\?\d*|[\w$]+|<=|>=|<>|!=|==|\|\||[^\s]/g

const keywords = new Set(
  "select from where join inner left right full outer cross natural on using group order by having limit offset union all except intersect set values as and or not in between like is null returning window indexed case when then else end do into asc desc collate exists".split(
    " "
  )
)

const ranges = new Set(["<", ">", "<=", ">=", "between"])

const wordsOf = (sql: string): ReadonlyArray<string> =>
  (sql.match(token) ?? [])
    .filter((word) => !word.startsWith("--") && !word.startsWith("/*"))
    .map((word) => (/^["`[]/.test(word) ? word.slice(1, -1) : word).toLowerCase())

const isName = (word: string | undefined): word is string =>
  word !== undefined && /^[a-z_][\w$]*$/.test(word) && !keywords.has(word)

/**
 * No parser: words and their neighbours. What is missed or misread costs a candidate or an estimate, and every candidate
 * is judged by SQLite's own planner.
 */
export const outlineOf = (sql: string, columns: Columns): Outline => {
  const words = wordsOf(sql)
  const aliases = new Map<string, string>()
  for (const [i, word] of words.entries()) {
    if (!columns.has(word) || !/^(from|join|,|into|update|\()$/.test(words[i - 1] ?? "")) continue
    const next = words[i + 1] === "as" ? words[i + 2] : words[i + 1]
    aliases.set(isName(next) ? next : word, word)
  }

  /** The column that ends or begins at a word, and the number of words it takes. */
  const columnAt = (at: number, backwards: boolean): ColumnRef | undefined => {
    const qualified = backwards ? words[at - 1] === "." : words[at + 1] === "."
    if (qualified) {
      const [alias, column] = backwards ? [words[at - 2]!, words[at]!] : [words[at]!, words[at + 2] ?? ""]
      return columns.get(aliases.get(alias) ?? "")?.has(column) === true ? { alias, column } : undefined
    }
    const column = words[at] ?? ""
    if (keywords.has(column)) return undefined
    const [alias] = [...aliases].find(([, table]) => columns.get(table)?.has(column)) ?? []
    return alias === undefined ? undefined : { alias, column }
  }

  const predicates: Array<Predicate> = []
  for (const [i, word] of words.entries()) {
    const isEqual = word === "=" || word === "==" || word === "in" || (word === "is" && words[i + 1] !== "not")
    if ((!isEqual && !ranges.has(word)) || words[i - 1] === "not") continue
    // `SET a = 1` is no condition.
    if (words.slice(0, i).lastIndexOf("set") > words.slice(0, i).lastIndexOf("where") && words[0] === "update") continue
    const left = columnAt(i - 1, true)
    const right = word === "in" || word === "is" ? undefined : columnAt(i + 1, false)
    const kind = isEqual ? "equal" : "range"
    if (left !== undefined) predicates.push({ kind, left, right })
    else if (right !== undefined) predicates.push({ kind, left: right, right: undefined })
  }

  const orderBy: Array<ColumnRef> = []
  for (const [i, word] of words.entries()) {
    if (word !== "by" || (words[i - 1] !== "order" && words[i - 1] !== "group")) continue
    for (let at = i + 1; at < words.length; at++) {
      const column = columnAt(at, false)
      if (column === undefined) break
      orderBy.push(column)
      at += words[at + 1] === "." ? 3 : 1
      if (words[at] === "asc" || words[at] === "desc") at += 1
      if (words[at] !== ",") break
    }
  }
  return { aliases, predicates, orderBy, limited: words.includes("limit") }
}

/** Values that a statement wants bound: `?` by count, `?3` by number. */
export const placeholdersOf = (sql: string): number => {
  let count = 0
  for (const word of wordsOf(sql)) {
    if (word === "?") count += 1
    else if (/^\?\d+$/.test(word)) count = Math.max(count, Number(word.slice(1)))
  }
  return count
}
