import type { LineParser } from "./accessLogs.ts"
import { type ColumnName, type Columns, columnNames, fieldsAmong, recordParser } from "./fields.ts"
import { decoded } from "./text.ts"

/**
 * One JSON object a line: Cloudflare Logpush, Caddy, Traefik, nginx with a JSON format, load balancers. Fields are found
 * by the names that these products use, at any depth, or as `--columns` says, a field inside another as `request.uri`.
 */
export const jsonLinesParser = (columns: Columns = {}): LineParser => {
  const parsers = new Map<string, ReturnType<typeof recordParser>>()
  return (line) => {
    const text = decoded(line.replaceAll(/^[[,\s]+|[\],\s]+$/g, ""))
    if (!text.startsWith("{")) return undefined
    const record = flat(text)
    if (record === undefined) return undefined
    const names = [...record.keys()]
    const found = fieldsAmong(names)
    const nameOf = (column: ColumnName): string | undefined =>
      columns[column] ?? (found[column] === undefined ? undefined : names[found[column]])
    const timeName = nameOf("time")
    const ttlName = nameOf("ttl")
    const kind = `${timeName} ${ttlName}`
    const parseRecord = parsers.get(kind) ?? recordParser({ timed: true, timeName, ttlName, responseSized: true })
    parsers.set(kind, parseRecord)
    if (nameOf("key") === undefined || timeName === undefined) return "other"
    const values: { [C in ColumnName]?: string | undefined } = {}
    for (const column of columnNames) values[column] = record.get(nameOf(column) ?? "")
    return parseRecord((column) => values[column]) ?? "other"
  }
}

const depth = 4

/** The scalars of an object by their path, as text. */
const flat = (text: string): ReadonlyMap<string, string> | undefined => {
  let exact = true
  const found = new Map<string, string>()
  const visit = (value: unknown, path: string, level: number): void => {
    if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) exact = false
    if (typeof value === "string" || typeof value === "number") found.set(path, String(value))
    else if (typeof value === "object" && value !== null && !Array.isArray(value) && level < depth) {
      for (const [name, inner] of Object.entries(value)) visit(inner, path === "" ? name : `${path}.${name}`, level + 1)
    }
  }
  const read = (json: string): boolean => {
    try {
      visit(JSON.parse(json), "", 0)
      return true
    } catch {
      return false
    }
  }
  if (!read(text)) return undefined
  // Numbers that a double cannot tell apart are read again as text.
  if (!exact) read(text.replaceAll(/(:\s*)(-?\d{16,})(?=\s*[,}])/g, '$1"$2"'))
  return found
}
