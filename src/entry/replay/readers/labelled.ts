import type { LineParser } from "./accessLogs.ts"
import { type ColumnName, type FieldsOfRecord, fieldsAmong, recordParser } from "./fields.ts"
import { decoded } from "./text.ts"

type Record = ReadonlyArray<readonly [name: string, value: string]>

/** Records whose fields say their own names; undefined for a line that is none. */
const parser = (recordOf: (line: string) => Record | undefined): LineParser => {
  const parse = recordParser({ timed: true, responseSized: true })
  return (line) => {
    const record = recordOf(line)
    if (record === undefined) return undefined
    const fields = fieldsAmong(record.map(([name]) => name))
    if (fields.key === undefined || fields.time === undefined) return undefined
    const get: FieldsOfRecord = (column: ColumnName) => {
      const place = fields[column]
      const value = place === undefined ? undefined : decoded(record[place]![1])
      return value === "" || value === "-" ? undefined : value
    }
    return parse(get) ?? "other"
  }
}

/** What LTSV calls otherwise: its `host` is the client. */
const ltsvNames: ReadonlyMap<string, string> = new Map([
  ["host", "client"],
  ["vhost", "host"],
  ["req", "request"]
])

/** Labeled tab-separated values, as nginx and Apache write them. Source: ltsv.org, "Labels for Web server's log". */
export const ltsvParser = (): LineParser =>
  parser((line) => {
    const parts = line.split("\t").map((part) => /^([\w.-]+):(.*)$/.exec(part))
    if (parts.length < 3 || parts.includes(null)) return undefined
    return parts.map((part) => [ltsvNames.get(part![1]!) ?? part![1]!, part![2]!.replace(/^\[(.*)\]$/, "$1")])
  })

const pair = /(?:^|\s)([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|\S*)/g

const leadingDate = /^(?:<\d+>\d* ?)?(\d{4}-\d\d-\d\dT\S+)\s/

/** `name=value` pairs, as Heroku's router and many Go programs write them; a date before them is the time. */
export const logfmtParser = (): LineParser =>
  parser((line) => {
    const pairs = [...line.matchAll(pair)].map(([, name, value]): readonly [string, string] => [
      name!,
      value!.startsWith('"') ? value!.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value!
    ])
    if (pairs.length < 3) return undefined
    const [, date] = leadingDate.exec(line) ?? []
    return date === undefined ? pairs : [...pairs, ["time", date]]
  })
