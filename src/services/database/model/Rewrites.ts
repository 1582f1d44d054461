import type { RecordedStatement } from "../IndexAdvisor.ts"

/** How many times what it returns a statement must read before a rewrite is worth a word. */
const wasteful = 10

/** Rows below which nothing is worth a word. */
const leastRows = 100

const rules: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /\b(lower|upper)\s*\(\s*[\w."]+\s*\)\s*(=|in\b|like\b)/i,
    "an index on the column does not serve a function of it: declare the column COLLATE NOCASE and compare it as it is (ASCII letters only), or create an index on the same expression"
  ],
  [
    /\blike\s+'%/i,
    "a pattern that begins with % reads every row: search words in an FTS5 table, or keep the text reversed for suffixes"
  ],
  [
    /\boffset\s+(\?|:|@|\$|\d)/i,
    "OFFSET reads what it skips: remember the last key of a page and ask for keys behind it, `WHERE key > ? ORDER BY key LIMIT ?`"
  ],
  [
    /\border\s+by\s+random\s*\(/i,
    "ORDER BY random() reads and sorts every row: draw a rowid first, and ask for the rows behind it"
  ]
]

/** What a statement could say otherwise to read fewer rows, and mean the same; nothing for one that wastes none. */
export const rewritesOf = ({ rowsReadPerCall, rowsReturnedPerCall, sql }: RecordedStatement): ReadonlyArray<string> =>
  rowsReadPerCall <= Math.max(leastRows, wasteful * rowsReturnedPerCall)
    ? []
    : rules.filter(([pattern]) => pattern.test(sql)).map(([, reason]) => reason)
