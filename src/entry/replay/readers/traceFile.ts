import { createReadStream } from "node:fs"
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import * as Trace from "../../../services/replay/model/Trace.ts"
import { WorkloadError } from "../../../services/replay/Workload.ts"
import type { ParsedLine } from "./accessLogs.ts"
import type { Columns } from "./fields.ts"
import { type Format, formatOf, formats, readerOf } from "./formats.ts"
import { failure, shown, splitLines } from "./text.ts"
import { peeked, unpacked } from "./unpack.ts"

export interface TraceFileOptions {
  /** Without one the file itself tells. */
  readonly format?: Format | undefined
  /** Which field is which, where the format does not say. */
  readonly columns?: Columns | undefined
  /** Requests to take, from the file's beginning; all without it. */
  readonly first?: number | undefined
  readonly limits?: Trace.TraceLimits
}

/** What the format is told by. */
const headBytes = 64 * 1024

/** So much is read in search of requests, and so much more for each that is found. */
const fruitlessBytes = 64 * 1024 * 1024

/**
 * A trace from a file, unpacked when it is gzip or zstd. It is named after the file, without its endings. Lines that
 * hold no request are left out and counted: logs hold scans and broken requests. Whatever the file, memory is bounded
 * by the trace's limits.
 */
export const read = (file: string, options: TraceFileOptions = {}): Effect.Effect<Trace.Trace, WorkloadError> =>
  Effect.tryPromise({
    try: () => readNow(file, options),
    catch: (cause) => {
      if (cause instanceof WorkloadError) return cause
      if (cause instanceof Trace.TraceTooLarge) {
        return failure(
          "TooLarge",
          `${file} has ${cause.message}: give --requests ${cause.rows} to replay those before.`
        )
      }
      return unreadable(file, cause)
    }
  })

const readNow = async (file: string, options: TraceFileOptions): Promise<Trace.Trace> => {
  const { columns, first, limits } = options
  const trace = Trace.builder(first, limits)
  const source = createReadStream(file)
  try {
    const { head, whole } = await peeked(await unpacked(source), headBytes)
    const text = wholeLines(Buffer.from(head).toString("latin1"), head.length < headBytes)
    const tried = options.format === undefined ? formats : [options.format]
    const unfit = (lines: string) =>
      failure(
        "BadRow",
        firstLine(text) === ""
          ? `${file} is empty: begin it with the line time,key,size,op, or give a log.`
          : `${file}: none of its ${lines} holds a request, the first is "${shown(firstLine(text))}"; tried ${tried.join(", ")}: give a log, or name the columns of a CSV with --columns.`
      )
    const counted = counting(whole, trace, unfit)
    const format = options.format ?? formatOf(text, columns)
    if (format === undefined || firstLine(text) === "") throw unfit(`${await counted.rest()} lines`)
    await readerOf(format, text, columns)(counted.bytes, trace, taking(trace))
    if (trace.rows() === 0) throw unfit(`${counted.lines()} lines`)
    return trace.finish(nameOf(file))
  } finally {
    source.destroy()
  }
}

const taking =
  (trace: Trace.TraceBuilder) =>
  (parsed: ParsedLine): void => {
    if (typeof parsed === "object") trace.add(parsed)
    else if (parsed === "refused") trace.refuse()
    else if (parsed !== "directive") trace.skip()
  }

const nameOf = (file: string): string =>
  basename(file)
    .replace(/\.(gz|zst)$/, "")
    .replace(/\.(csv|log|txt|jsonl|ndjson|json)$/, "")

/** Without the line that the head breaks off in. */
const wholeLines = (head: string, complete: boolean): string =>
  complete ? head : head.slice(0, Math.max(head.lastIndexOf("\n"), head.lastIndexOf("\r")) + 1) || head

const firstLine = (text: string): string => splitLines(text).find((line) => line.trim() !== "") ?? ""

/** The pieces until the trace has what was wanted of it, and the number of lines in them. */
const counting = (
  pieces: AsyncIterable<Uint8Array>,
  trace: Trace.TraceBuilder,
  unfit: (lines: string) => WorkloadError
) => {
  let lines = 0
  let last = 0x0a
  let read = 0
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      if (trace.full()) return
      read += piece.length
      for (let at = piece.indexOf(0x0a); at !== -1; at = piece.indexOf(0x0a, at + 1)) lines += 1
      last = piece.at(-1) ?? last
      if (read > fruitlessBytes * (1 + trace.rows() / 1000)) {
        if (trace.rows() === 0) throw unfit(`first ${lines} lines`)
        throw failure("TooLarge", `its first ${lines} lines hold only ${trace.rows()} requests: give a log or a trace.`)
      }
      yield piece
    }
  }
  const total = (): number => lines + (last === 0x0a ? 0 : 1)
  const flowing = bytes()
  return {
    bytes: flowing,
    lines: total,
    /** Reads to the end. */
    rest: async () => {
      for await (const _ of flowing);
      return total()
    }
  }
}

const unreadable = (file: string, cause: unknown): WorkloadError =>
  new WorkloadError({
    operation: "read",
    reason: "NoFile",
    detail: `${file} cannot be read (${cause instanceof Error ? cause.message : cause}): give a CSV or a log, or one in gzip or zstd.`,
    cause
  })
