import { httpOperationOf, rowOf } from "../../../services/replay/model/LoggedRequest.ts"
import { momentOf, type TimeUnit, unitMillis, unitOf } from "../../../services/replay/model/Moment.ts"
import { epoch, type TraceOperation } from "../../../services/replay/model/Trace.ts"
import type { ParsedLine } from "./accessLogs.ts"

/** What a field of a record can stand for. */
export const columnNames = ["time", "key", "size", "op", "session", "ttl", "host", "status", "query", "date"] as const

export type ColumnName = (typeof columnNames)[number]

/** Names that fields go by: lower case, letters and digits alone; of those a record has, the first counts. */
const synonyms: { readonly [C in ColumnName]: ReadonlyArray<string> } = {
  time: words(
    "time timestamp ts edgestarttimestamp startutc time_iso8601 timeiso8601 timelocal msec datetime starttime requesttime clocktime eventtime epoch"
  ),
  key: words(
    "key clientrequesturi requesturi csuristem uri csuri url requesturl urloriginal httprequestrequesturl requestpath urlpath path target objid objectid anonymizedkey cachekey clientrequestpath object obj id item request"
  ),
  size: words(
    "edgeresponsebodybytes size valuesize objsize objectsize valsize valuebytes bytes edgeresponsebytes bodybytessent scbytes bytessent responsebytes responsesize downstreamcontentsize httpresponsebodybytes httprequestresponsesize responsebodysize length contentlength"
  ),
  op: words(
    "op operation clientrequestmethod requestmethod csmethod method httprequestmethod httprequestrequestmethod verb command cmd action"
  ),
  session: words(
    "session sessionid clientip cip remoteaddr remoteip requestremoteip requestclientip clienthost httprequestremoteip clientid client ip sourceip clientaddress fwd userid user"
  ),
  ttl: words("ttl expirationttl expiry maxage ttlseconds"),
  host: words(
    "host clientrequesthost xhostheader cshost requesthost hostname httphost vhost servername authority urldomain"
  ),
  status: words(
    "status edgeresponsestatus scstatus statuscode responsestatus downstreamstatus httpstatus httpresponsestatuscode httprequeststatus"
  ),
  query: words("csuriquery query querystring requestquery urlquery args"),
  date: words("date")
}

function words(text: string): ReadonlyArray<string> {
  return text.split(" ")
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")

/** What a field's name says behind the name itself: `time_ms`, `timestampMs`, `Timestamp (us)`. */
const unitInName =
  /(?:^|[^a-z])(s|secs?|seconds|ms|msecs?|millis|milliseconds|us|micros|microseconds|ns|nanos|nanoseconds)\)?$/i

/** The fields, by name or place, of every column that a source has. */
export type FieldOf<F> = { readonly [C in ColumnName]?: F }

/** The columns asked for, each by the name of its field or by its place, counted from 1. */
export type Columns = FieldOf<string>

const spaced = (name: string): string => name.replaceAll(/([a-z])([A-Z])/g, "$1 $2")

/** Finds the columns among the fields of a source. */
export const fieldsAmong = (names: ReadonlyArray<string>): FieldOf<number> => {
  const places = new Map<string, number>()
  for (const spelled of [plain, (name: string) => plain(spaced(name).replace(unitInName, ""))]) {
    for (const [place, name] of names.entries()) if (!places.has(spelled(name))) places.set(spelled(name), place)
  }
  const fields: { -readonly [C in ColumnName]?: number } = {}
  for (const column of columnNames) {
    const known = synonyms[column].find((name) => places.has(name))
    if (known !== undefined) fields[column] = places.get(known)!
  }
  return fields
}

/** The unit that a field's name gives, as in `timestamp_ms`. */
export const unitNamed = (name: string): TimeUnit | undefined => {
  const [, unit] = unitInName.exec(spaced(name)) ?? []
  if (unit === undefined) return undefined
  if (/^s/i.test(unit)) return "s"
  return unit.startsWith("n") ? "ns" : /^u|^micro/i.test(unit) ? "us" : "ms"
}

/**
 * Reads times that are numbers as well as dates. The first number tells what all are: a date in some unit, or seconds
 * (an index), counted so that the first is {@link epoch}.
 */
const clock = (named: TimeUnit | undefined): ((text: string) => number | undefined) => {
  let scale: { readonly millis: number; readonly begin: number } | undefined
  return (text) => {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return momentOf(text)
    const number = Number(text)
    if (scale === undefined) {
      const millis = unitMillis[named ?? unitOf(number) ?? "s"]
      scale = { millis, begin: unitOf((number * millis) / 1000) === undefined ? epoch - number * millis : 0 }
    }
    const at = scale.begin + number * scale.millis
    return Math.abs(at) <= lastMoment ? at : undefined
  }
}

/** Beyond this a date is none any more: the year 10,000. */
const lastMoment = 253_402_300_800_000

const operations: ReadonlyMap<string, TraceOperation> = new Map([
  ...words("r read get gets gat head hit miss lookup query").map((word) => [word, "read"] as const),
  ...words("w write set put post patch add replace cas append prepend incr decr update insert").map(
    (word) => [word, "write"] as const
  ),
  ...words("d del delete remove purge ban unlink evict invalidate").map((word) => [word, "delete"] as const)
])

/** A column's text in one record; undefined where the record has none. */
export type FieldsOfRecord = (column: ColumnName) => string | undefined

export interface RecordOptions {
  /** Whether there is a field for the time. Without one, records are a second apart. */
  readonly timed: boolean
  /** The name of the time's field, which may hold its unit, and of the ttl's. */
  readonly timeName?: string | undefined
  readonly ttlName?: string | undefined
  /** Whether a size is that of a response, as in a log, rather than of the value, as in a cache's trace. */
  readonly responseSized: boolean
}

/**
 * Reads records: those of a web server, told by a host, a status or a URL as the key, as HTTP requests; others as
 * requests to a cache. Without an operation they are reads.
 */
export const recordParser = ({
  responseSized,
  timed,
  timeName,
  ttlName
}: RecordOptions): ((get: FieldsOfRecord) => ParsedLine) => {
  const timeOf = clock(timeName === undefined ? undefined : unitNamed(timeName))
  const ttlMillis = unitMillis[(ttlName === undefined ? undefined : unitNamed(ttlName)) ?? "s"]
  let records = 0

  const momentFrom = (get: FieldsOfRecord): number | undefined => {
    const time = get("time")
    const date = get("date")
    if (!timed) return epoch + records * 1000
    if (time === undefined) return date === undefined ? undefined : timeOf(date)
    return timeOf(date !== undefined && /^\d\d:\d\d/.test(time) ? `${date} ${time}` : time)
  }

  return (get) => {
    records += 1
    const at = momentFrom(get)
    const op = get("op")
    const { method, target } = op === undefined ? requestLine(get("key")) : { method: op, target: get("key") }
    const size = bytesOf(get("size"))
    const operation = operations.get(method.toLowerCase())
    if (at === undefined || target === undefined || size === "none") return undefined
    if (operation === undefined) return "other"
    const seconds = Number(get("ttl"))
    const ttl = seconds > 0 ? Math.min(seconds * ttlMillis, maxTtl) : undefined
    const session = get("session")
    const [host, status, query] = [get("host"), get("status"), get("query")]
    const isHttp = host !== undefined || status !== undefined || /^(\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(target)
    if (!isHttp || httpOperationOf(method) === undefined) {
      return { at, key: target, size, operation, session, ...(ttl === undefined ? {} : { ttl }) }
    }
    return (
      rowOf({
        at,
        method,
        target: query === undefined ? target : `${target}?${query.replace(/^\?/, "")}`,
        host,
        status: status === undefined ? undefined : Number.parseInt(status, 10) || 0,
        responseBytes: size,
        valueBytes: responseSized ? undefined : size,
        client: session,
        ttl
      }) ?? "other"
    )
  }
}

/** KV's longest life that makes a difference in a replay: a year. */
const maxTtl = 31_536_000_000

/** A key's field may hold a whole request, as nginx's `$request` does. */
const requestLine = (key: string | undefined): { readonly method: string; readonly target: string | undefined } => {
  const [, method, target] = /^([A-Z]+)\s+(\S.*?)\s+HTTP\/[\d.]+$/.exec(key ?? "") ?? []
  return method === undefined ? { method: "GET", target: key } : { method, target }
}

const bytesOf = (text: string | undefined): number | undefined | "none" => {
  if (text === undefined) return undefined
  return /^\d{1,15}(\.0*)?$/.test(text) ? Number(text) : "none"
}
