import type { LineParser } from "./accessLogs.ts"
import { type FieldOf, type FieldsOfRecord, fieldsAmong, recordParser } from "./fields.ts"
import { decoded } from "./text.ts"

export const isW3cDirective = (line: string): boolean =>
  /^#\s*(Version|Fields|Software|Date|Remark|Start-Date)\b/i.test(line)

/**
 * W3C extended log files, as IIS writes them with spaces and CloudFront with tabs. The line `#Fields:` names what
 * follows until the next. Source: W3C WD-logfile-960323.
 */
export const w3cParser = (): LineParser => {
  const parseRecord = recordParser({ timed: true, responseSized: true })
  let fields: FieldOf<number> = {}
  let day: string | undefined
  return (line) => {
    const [, directive, value] = /^#\s*([\w-]+):\s*(.*)$/.exec(line) ?? []
    if (directive !== undefined) {
      if (directive.toLowerCase() === "fields") fields = fieldsAmong(value!.trim().split(/\s+/))
      if (directive.toLowerCase() === "date") day = value!.trim().split(/\s+/)[0]
    }
    if (line.startsWith("#")) return "directive"
    if (fields.key === undefined) return undefined
    const record = line.includes("\t") ? line.split("\t") : (line.match(/"(?:[^"]|"")*"|\S+/g) ?? [])
    const get: FieldsOfRecord = (column) => {
      const place = fields[column]
      const text = place === undefined ? undefined : record[place]?.trim()
      if (column === "date" && (text === undefined || text === "-")) return day
      if (text === undefined || text === "" || text === "-") return undefined
      return decoded(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text)
    }
    return parseRecord(get)
  }
}
