import { type LoggedRequest, rowOf } from "../../../services/replay/model/LoggedRequest.ts"
import { momentOf } from "../../../services/replay/model/Moment.ts"
import type { TraceRow } from "../../../services/replay/model/Trace.ts"
import { decoded } from "./text.ts"

/**
 * What a line holds: a row; `"refused"`, a write that changed nothing; `"other"`, no request that a cache would see;
 * `"directive"`, something about the file itself; undefined where the line is not of the format.
 */
export type ParsedLine = TraceRow | "refused" | "other" | "directive" | undefined

export type LineParser = (line: string) => ParsedLine

/** A quoted string in which a backslash takes the next character along. */
const quoted = String.raw`"((?:[^"\\]|\\.)*)"`

const clf = new RegExp(String.raw`^(.*?\S)\s+\[([^\]]+)\]\s+${quoted}\s+(\d{3}|-)\s+(\d+|-)(?:\s|$)`)

/**
 * Common and combined log format, each with or without the virtual host before it: `[host] client ident user [date]
 * "request" status bytes …`. Sources: Apache mod_log_config, `%v:%p %h %l %u %t "%r" %>s %O`; nginx's `combined`.
 */
export const parseClf: LineParser = (line) => {
  const [, who, when, request, status, bytes] = clf.exec(line.replace(carrier, "")) ?? []
  if (request === undefined) return undefined
  const { client, host } = peersOf(who!)
  return requestOf(request, when!, { host, client, status: numberOf(status), responseBytes: numberOf(bytes) ?? 0 })
}

/** What syslog, or the log of several containers, puts before a line. */
const carrier = /^(?:<\d+>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:]+: |\S+\s+\|\s+)/

/** A proxy's list of clients, separated by commas, counts as its first. */
const peersOf = (who: string): { readonly client: string; readonly host: string | undefined } => {
  const [first = "", second = "", third, ...more] = who.replaceAll(/,\s+/g, ",").split(/\s+/)
  const firstClient = (list: string): string => list.split(",")[0]!
  const named = /^[\w.-]+:\d+$/.test(first) || isAddress(firstClient(second)) || third === "-"
  const behindHost = third !== undefined && (more.length > 0 || third === "-") && second !== "-" && named
  return behindHost ? { client: firstClient(second), host: first } : { client: firstClient(first), host: undefined }
}

const isAddress = (text: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$|^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.:]*$/i.test(text)

/** The request of a log that quotes its first line: `GET /a b HTTP/1.1`, whose target may hold spaces. */
const requestOf = (
  request: string,
  when: string,
  rest: Omit<LoggedRequest, "at" | "method" | "target">
): ParsedLine => {
  const [, method, target] = /^([A-Za-z]+)\s+(.*?)(?:\s+HTTP\/[\d.]+)?\s*$/.exec(request) ?? []
  const at = momentOf(when)
  if (method === undefined || at === undefined || !/^(\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(target!)) return "other"
  return rowOf({ at, method, target: decoded(target!), ...rest }) ?? "other"
}

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || !/^\d{1,15}$/.test(text) ? undefined : Number(text)

const s3 = new RegExp(
  String.raw`^\S+ (\S+) \[([^\]]+)\] (\S+) (\S+) \S+ ([A-Z0-9]+\.[A-Z_.0-9]+) (\S+) (?:${quoted}|-) (\d{3}|-) \S+ (\d+|-) (\d+|-) `
)

/**
 * Amazon S3 server access logs. The key is bucket and object; a PUT's bytes are the object's. Source: AmazonS3
 * "Amazon S3 server access log format"; requests that concern no object as a whole are none to a cache.
 */
export const parseS3: LineParser = (line) => {
  const [, bucket, when, address, requester, operation, object, , status, sent, size] = s3.exec(line) ?? []
  if (bucket === undefined) return undefined
  const at = momentOf(when!)
  const method = s3Method(operation!)
  if (at === undefined || method === undefined || object === "-") return "other"
  return (
    rowOf({
      at,
      method,
      target: `/${decoded(object!)}`,
      host: bucket,
      status: numberOf(status),
      responseBytes: numberOf(sent),
      valueBytes: numberOf(size),
      client: address === "-" ? requester : address
    }) ?? "other"
  )
}

const s3Method = (operation: string): string | undefined => {
  const [, method, resource] = /^(?:REST|SOAP|WEBSITE|BATCH)\.([A-Z]+)\.([A-Z_]+)$/.exec(operation) ?? []
  if (operation === "REST.POST.UPLOAD") return "PUT"
  if (operation === "S3.EXPIRE.OBJECT" || operation === "S3.CREATE.DELETEMARKER") return "DELETE"
  if (resource === "OBJECT_GET") return "GET"
  if (resource !== "OBJECT") return undefined
  return method === "COPY" || method === "POST" ? "PUT" : method
}

const haproxy = new RegExp(
  String.raw`(?:^|\s)\[?([0-9a-fA-F:.]+?)\]?:\d+ \[([^\]]+)\] \S+ \S+ [-+\d/]+ (-?\d+) \+?(\d+) .*?${quoted}\s*$`
)

/** HAProxy's HTTP log format, with or without the head that syslog puts before it. Source: HAProxy manual, 8.2.3. */
export const parseHaproxy: LineParser = (line) => {
  const [, client, when, status, bytes, request] = haproxy.exec(line) ?? []
  if (client === undefined) return undefined
  return requestOf(request!, when!, { client, status: Number(status), responseBytes: Number(bytes) })
}

const squid = /^(\d{9,11}\.\d{3})\s+-?\d+\s+(\S+)\s+([A-Z_]+)\/(\d{3})\s+(\d+)\s+([A-Z_]+)\s+(\S+)\s+\S+\s+[A-Z_]+\/\S+/

/** Squid's native access log. Source: Squid wiki, Features/LogFormat, `squid`. */
export const parseSquid: LineParser = (line) => {
  const [, seconds, client, , status, bytes, method, target] = squid.exec(line) ?? []
  if (seconds === undefined) return undefined
  const request = { method: method!, target: decoded(target!), client, status: numberOf(status) }
  return rowOf({ at: Math.round(Number(seconds) * 1000), ...request, responseBytes: numberOf(bytes) }) ?? "other"
}

const elb = new RegExp(
  String.raw`^(?:\w+ )?(\d{4}-\d\d-\d\dT[\d:.]+Z) \S+ (\S+?):\d+ \S+ \S+ \S+ \S+ (\d{3}|-) (?:\d{3}|-) (\d+) (\d+) ${quoted}`
)

/** Elastic Load Balancing, classic and application. Source: Elastic Load Balancing, "Access logs". */
export const parseElb: LineParser = (line) => {
  const [, when, client, status, , sent, request] = elb.exec(line) ?? []
  if (when === undefined) return undefined
  return requestOf(request!, when, { client, status: numberOf(status), responseBytes: numberOf(sent) })
}

const envoy = new RegExp(
  String.raw`^\[(\d{4}-\d\d-\d\dT[\d:.]+Z)\] ${quoted} (\d+) \S+(?: \S+)*? (\d+) (\d+) (?:\d+|-) (?:\d+|-) ${quoted} ${quoted} ${quoted} ${quoted}`
)

/** Envoy's default format. Source: Envoy documentation, "Access logging", default format string. */
export const parseEnvoy: LineParser = (line) => {
  const [, when, request, status, , sent, forwarded, , , host] = envoy.exec(line) ?? []
  if (when === undefined) return undefined
  const client = forwarded!.split(",")[0]!.trim()
  return requestOf(request!, when, { host, client, status: numberOf(status), responseBytes: numberOf(sent) })
}
