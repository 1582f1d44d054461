import { CsvError, parse } from "csv-parse/sync"
import type { ParsedLine } from "./accessLogs.ts"
import {
  type ColumnName,
  type Columns,
  columnNames,
  type FieldOf,
  type FieldsOfRecord,
  fieldsAmong,
  recordParser
} from "./fields.ts"
import type { Reader } from "./formats.ts"
import { decoded, failure, linesOf, maxLineBytes, shown } from "./text.ts"

/** How to read a file of separated values. */
export interface CsvPlan {
  readonly delimiter: string
  readonly fields: FieldOf<number>
  /** The header's names; undefined for a file without a header. */
  readonly names: ReadonlyArray<string> | undefined
  /** A file that calls itself a trace is taken at its word: a row that is none is refused, not left out. */
  readonly strict: boolean
  /** Whether nothing names the fields: a size beside an HTTP method is then that of the response. */
  readonly unnamed?: boolean
}

/** What separates the fields of a line: what is in it most often; a space only where nothing else is. */
const delimiterOf = (line: string): string => {
  const bare = line.replaceAll(/"[^"]*"/g, "")
  const often = (delimiter: string): number => bare.split(delimiter).length - 1
  const [best = ","] = [",", "\t", ";", "|"].sort((a, b) => often(b) - often(a))
  return often(best) === 0 && often(" ") > 0 ? " " : best
}

/** The fields of one record, which may hold line ends within its quotes. */
const parseRecord = (text: string, delimiter: string, strict: boolean): ReadonlyArray<string> => {
  if (!text.includes('"')) return text.split(delimiter)
  const records = parse(text, { delimiter, relax_quotes: !strict, relax_column_count: true }) as Array<Array<string>>
  return records[0] ?? []
}

const split = (line: string, delimiter: string): ReadonlyArray<string> => {
  try {
    return parseRecord(line, delimiter, false)
  } catch {
    return line.split(delimiter)
  }
}

/** A header that names a key and something else that belongs to a request. */
export const planByHeader = (line: string): CsvPlan | undefined => {
  const delimiter = delimiterOf(line)
  const names = split(line, delimiter).map((name) => decoded(name).trim())
  const fields = fieldsAmong(names)
  const known = Object.keys(fields).length
  if (fields.key === undefined || known < 2 || names.some((name) => /^[\d.]+$/.test(name))) return undefined
  return { delimiter, fields, names, strict: /^time,key,size,op(,session)?(,ttl)?$/.test(line.trim()) }
}

/** Columns asked for by name need a header; by place, counted from 1, they need none. */
export const planByColumns = (line: string, columns: Columns): CsvPlan => {
  const delimiter = delimiterOf(line)
  const names = split(line, delimiter).map((name) => decoded(name).trim())
  const byPlace = Object.values(columns).every((field) => /^\d+$/.test(field))
  const fields: { -readonly [C in ColumnName]?: number } = byPlace ? {} : { ...fieldsAmong(names) }
  for (const column of columnNames) {
    const wanted = columns[column]
    if (wanted === undefined) continue
    const place = names.indexOf(wanted)
    const found = place === -1 && /^\d+$/.test(wanted) ? Number(wanted) - 1 : place
    if (found < 0) {
      throw failure("BadHeader", `--columns ${column}=${shown(wanted)}: the header has ${shown(names.join(", "))}.`)
    }
    fields[column] = found
  }
  return { delimiter, fields, names: byPlace ? undefined : names, strict: false, unnamed: byPlace }
}

const places = (...columns: ReadonlyArray<ColumnName | undefined>): FieldOf<number> =>
  Object.fromEntries(columns.flatMap((column, place) => (column === undefined ? [] : [[column, place]])))

const cacheOperation = /^(gets?|gat|set|add|replace|cas|append|prepend|incr|decr|delete|touch)$/

/** Twitter's cache traces: time, key, key bytes, value bytes, client, operation, ttl. Source: twitter/cache-trace. */
export const planTwitter = (line: string): CsvPlan | undefined => {
  const delimiter = delimiterOf(line)
  const record = split(line, delimiter)
  if (record.length < 7 || !cacheOperation.test(record.at(-2)!.trim())) return undefined
  return {
    delimiter,
    fields: places("time", "key", undefined, "size", "session", "op", "ttl"),
    names: undefined,
    strict: false
  }
}

/** libCacheSim's CSV: time, object, bytes, and perhaps an operation; its header is optional. */
export const planLibCacheSim = (line: string): CsvPlan | undefined => {
  const headed = planByHeader(line)
  if (headed !== undefined) return headed
  const delimiter = delimiterOf(line)
  const [time, object, size, op] = split(line, delimiter).map((field) => field.trim())
  if (!/^\d+(\.\d+)?$/.test(time ?? "") || (object ?? "") === "" || !/^\d+$/.test(size ?? "")) return undefined
  const fields = places("time", "key", "size", /^[a-z]+$/i.test(op ?? "") ? "op" : undefined)
  return { delimiter, fields, names: undefined, strict: false }
}

/** Reads what the plan says. A trace with a row that is none is refused; of other files such rows are left out. */
export const csvReader =
  (plan: CsvPlan, endOfLine: "\n" | "\r"): Reader =>
  async (bytes, trace, take) => {
    const { delimiter, fields, names, strict } = plan
    const nameOf = (column: ColumnName) => (names === undefined ? undefined : names[fields[column] ?? -1])
    const sizeName = nameOf("size") ?? ""
    const judge = recordParser({
      timed: fields.time !== undefined || fields.date !== undefined,
      timeName: nameOf("time"),
      ttlName: nameOf("ttl"),
      responseSized: plan.unnamed === true || fields.status !== undefined || /bytes|sent|response/i.test(sizeName)
    })
    let headed = names === undefined
    const onRecord = (record: ReadonlyArray<string>, line: number): void => {
      if (!headed) {
        headed = true
        return
      }
      const get: FieldsOfRecord = (column) => {
        const place = fields[column]
        const text = place === undefined ? undefined : record[place]
        if (text === undefined) return undefined
        if (column === "key") return text === "" ? undefined : decoded(text)
        const trimmed = decoded(text.trim())
        return trimmed === "" || (trimmed === "-" && !strict) ? undefined : trimmed
      }
      const parsed: ParsedLine = judge(get)
      if (strict && (typeof parsed !== "object" || record.length !== names!.length)) {
        throw failure("BadRow", `line ${line}: ${mistakeIn(record, names!, get)}.`)
      }
      take(parsed)
    }

    const toRecord = recordAssembler(delimiter, strict)
    for await (const lines of linesOf(bytes, (text) => text.split(endOfLine))) {
      for (const line of lines) {
        const assembled = toRecord(line)
        if (assembled !== undefined && !trace.full()) onRecord(assembled.record, assembled.line)
      }
    }
    if (!trace.full()) toRecord.end()
  }

/** A record goes on over so many lines at most: beyond that its quote was never meant to open. */
const maxRecordLines = 1000

/** Puts records together from lines: one whose quotes are not closed goes on in the next. */
const recordAssembler = (delimiter: string, strict: boolean) => {
  let held = ""
  let heldLines = 0
  let line = 0
  const unclosed = () => failure("BadRow", `line ${line - heldLines + 1}: a quote that never closes.`)

  const assemble = (text: string): { readonly record: ReadonlyArray<string>; readonly line: number } | undefined => {
    line += 1
    if (heldLines === 0 && (text === "" || text === "\r")) return undefined
    const whole = heldLines === 0 ? text : `${held}\n${text}`
    const quotes = whole.includes('"') ? whole.split('"').length - 1 : 0
    if (quotes % 2 === 1 && opens(whole, delimiter)) {
      held = whole
      heldLines += 1
      if (heldLines > maxRecordLines || held.length > maxLineBytes) throw unclosed()
      return undefined
    }
    heldLines = 0
    try {
      return { record: parseRecord(whole.replace(/\r$/, ""), delimiter, strict), line }
    } catch (cause) {
      if (cause instanceof CsvError) throw failure("BadRow", `line ${line}: ${shown(cause.message)}`)
      throw cause
    }
  }
  return Object.assign(assemble, {
    end: (): void => {
      if (heldLines > 0) throw unclosed()
    }
  })
}

/** Whether some field begins with a quote: elsewhere quotes are text. */
const opens = (text: string, delimiter: string): boolean => text.startsWith('"') || text.includes(`${delimiter}"`)

/** Why a row of a trace is none. */
const mistakeIn = (record: ReadonlyArray<string>, names: ReadonlyArray<string>, get: FieldsOfRecord): string => {
  if (record.length !== names.length) return `${record.length} fields where the header has ${names.length}`
  const [time, size, op] = [get("time") ?? "", get("size") ?? "", get("op") ?? ""]
  if (get("key") === undefined) return "the key is empty"
  if (size !== "" && !/^\d{1,15}$/.test(size)) return `size "${shown(size)}" must be whole bytes`
  if (!/^\d/.test(time)) return `time "${shown(time)}" must be seconds, an index or a date`
  return `op "${shown(op)}" must be r, w or d, or the time is none`
}
