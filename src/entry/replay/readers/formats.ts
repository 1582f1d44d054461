import type { TraceBuilder } from "../../../services/replay/model/Trace.ts"
import {
  type LineParser,
  type ParsedLine,
  parseClf,
  parseElb,
  parseEnvoy,
  parseHaproxy,
  parseS3,
  parseSquid
} from "./accessLogs.ts"
import { csvReader, planByColumns, planByHeader, planLibCacheSim, planTwitter } from "./csv.ts"
import type { Columns } from "./fields.ts"
import { jsonLinesParser } from "./jsonLines.ts"
import { logfmtParser, ltsvParser } from "./labelled.ts"
import { failure, linesOf, shown, splitLines, splitObjects } from "./text.ts"
import { isW3cDirective, w3cParser } from "./w3c.ts"

/** Formats in the order in which a file is tried on them. */
export const formats = [
  "csv",
  "clf",
  "jsonl",
  "w3c",
  "s3",
  "haproxy",
  "squid",
  "elb",
  "envoy",
  "ltsv",
  "logfmt",
  "twitter",
  "libcachesim"
] as const

export type Format = (typeof formats)[number]

/** Feeds the bytes of a file into a trace; every line that it has judged goes to `take`. */
export type Reader = (
  bytes: AsyncIterable<Uint8Array>,
  trace: TraceBuilder,
  take: (parsed: ParsedLine) => void
) => Promise<void>

/** A parser of lines, made anew for each file. */
const lineParsers: { readonly [F in Format]?: (columns: Columns | undefined) => LineParser } = {
  clf: () => parseClf,
  jsonl: jsonLinesParser,
  w3c: w3cParser,
  s3: () => parseS3,
  haproxy: () => parseHaproxy,
  squid: () => parseSquid,
  elb: () => parseElb,
  envoy: () => parseEnvoy,
  ltsv: ltsvParser,
  logfmt: logfmtParser
}

const isArray = (head: string): boolean => /^\s*\[\s*\{/.test(head)

const lineReader =
  (parse: LineParser, split: typeof splitLines): Reader =>
  async (bytes, trace, take) => {
    for await (const lines of linesOf(bytes, split)) {
      for (const line of lines) if (line.trim() !== "" && !trace.full()) take(parse(line))
    }
  }

/**
 * The reader of a file in a format.
 *
 * @param head the beginning of the file, a character a byte
 */
export const readerOf = (format: Format, head: string, columns: Columns | undefined): Reader => {
  const parser = lineParsers[format]
  if (parser !== undefined) {
    return lineReader(parser(columns), format === "jsonl" && isArray(head) ? splitObjects : splitLines)
  }
  const lines = splitLines(head).filter((line) => line.trim() !== "")
  const [first = ""] = lines
  // Within quotes a carriage return is text, unless nothing else ends a line.
  const endOfLine = head.includes("\n") ? "\n" : "\r"
  if (columns !== undefined) return csvReader(planByColumns(first, columns), endOfLine)
  const planned =
    format === "csv" ? planByHeader(first) : firstOf(lines, format === "twitter" ? planTwitter : planLibCacheSim)
  if (planned !== undefined) return csvReader(planned, endOfLine)
  if (format !== "csv") throw failure("BadHeader", `line 1 is "${shown(first)}": that is no trace of ${format}.`)
  throw failure(
    "BadHeader",
    `line 1 is "${shown(first)}": make it time,key,size,op or time,key,size,op,session, or name columns with --columns.`
  )
}

const firstOf = <A>(lines: ReadonlyArray<string>, plan: (line: string) => A | undefined): A | undefined => {
  for (const line of lines.slice(0, 100)) {
    const planned = plan(line)
    if (planned !== undefined) return planned
  }
  return undefined
}

const fits = (parsed: ParsedLine): boolean => parsed !== undefined && parsed !== "directive"

/** The format that fits a file that begins like this; undefined where none does. */
export const formatOf = (head: string, columns: Columns | undefined): Format | undefined => {
  const parseJson = jsonLinesParser(columns)
  if (isArray(head) && splitObjects(head).some((one) => fits(parseJson(one)))) return "jsonl"
  const lines = splitLines(head).filter((line) => line.trim() !== "")
  const first = lines[0] ?? ""
  if (columns !== undefined) return lines.some((line) => jsonLinesParser(columns)(line) !== undefined) ? "jsonl" : "csv"
  if (lines.some(isW3cDirective)) return "w3c"
  let best: Format | undefined
  let most = 0
  for (const format of formats) {
    const parse = lineParsers[format]?.(undefined)
    const fitting = parse === undefined ? 0 : lines.filter((line) => fits(parse(line))).length
    if (fitting > most) {
      best = format
      most = fitting
    }
  }
  if (best !== undefined) return best
  if (planByHeader(first) !== undefined) return "csv"
  if (firstOf(lines, planTwitter) !== undefined) return "twitter"
  return firstOf(lines, planLibCacheSim) === undefined ? undefined : "libcachesim"
}
