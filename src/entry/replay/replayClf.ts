import { createInterface } from "node:readline"
import type { TraceOperation, TraceRow } from "../../services/replay/model/Trace.ts"
import type { Reader } from "./replayFile.ts"

/**
 * Common and combined log format: `host ident user [date] "request" status bytes …`.
 * Source: Apache mod_log_config, `%h %l %u %t "%r" %>s %b`; nginx's `combined` is the same.
 */
const line = /^(\S+) \S+ .*?\[([^\]]+)\] "((?:[^"\\]|\\.)*)" \d{3} (\d+|-)(?:\s|$)/

const date = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const operations: ReadonlyMap<string, TraceOperation> = new Map([
  ["GET", "read"],
  ["HEAD", "read"],
  ["PUT", "write"],
  ["PATCH", "write"],
  ["POST", "write"],
  ["DELETE", "delete"]
])

/** The request in a log line, or undefined when there is none that a cache would see. The key is path and query. */
export const parseLine = (text: string): TraceRow | undefined => {
  const [, host, when, request, bytes] = line.exec(text) ?? []
  const [method, target] = (request ?? "").split(" ")
  const operation = operations.get(method ?? "")
  const at = momentOf(when ?? "")
  const key = (target ?? "").replace(/^https?:\/\/[^/?#]+/i, "").replace(/#.*$/, "")
  if (operation === undefined || at === undefined || key === "") return undefined
  return { at, key, size: bytes === "-" ? undefined : Number(bytes), operation, session: host }
}

/** Milliseconds since the epoch of `10/Oct/2000:13:55:36 -0700`. */
const momentOf = (text: string): number | undefined => {
  const parts = date.exec(text)
  if (parts === null) return undefined
  const [, day, month, year, hour, minute, second, sign, zoneHour, zoneMinute] = parts as unknown as Array<string>
  const index = months.indexOf(month!)
  if (index === -1) return undefined
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000
  const local = Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second))
  return sign === "+" ? local - zone : local + zone
}

/** Lines that hold no request are counted, not refused: logs hold scans and broken requests. */
export const read: Reader = async (bytes, trace) => {
  for await (const text of createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (text.trim() === "") continue
    const row = parseLine(text)
    if (row === undefined) trace.skip()
    else trace.add(row)
  }
}
