import { pipeline } from "node:stream/promises"
import { CsvError, parse } from "csv-parse"
import { epoch, type TraceOperation } from "../../services/replay/model/Trace.ts"
import { failure, type Reader } from "./replayFile.ts"

const operations: { readonly [op: string]: TraceOperation } = { r: "read", w: "write", d: "delete" }

/** `time,key,size,op[,session]`: seconds or an index, any text, bytes, `r`, `w` or `d`, any text. */
export const read: Reader = async (bytes, trace) => {
  let columns = 0
  let begin = 0

  const onRecord = (record: ReadonlyArray<string>, line: number): void => {
    if (columns === 0) {
      const header = record.join(",")
      if (header !== "time,key,size,op" && header !== "time,key,size,op,session") {
        throw failure(
          "BadHeader",
          `line 1 is "${shown(header)}": make it time,key,size,op or time,key,size,op,session.`
        )
      }
      columns = record.length
      return
    }
    const bad = (what: string) => failure("BadRow", `line ${line}: ${what}.`)
    if (record.length !== columns) throw bad(`${record.length} fields where the header has ${columns}`)
    const [time, key, size, op, session] = record as [string, string, string, string, string | undefined]
    const seconds = time.trim() === "" ? Number.NaN : Number(time)
    if (!Number.isFinite(seconds) || Math.abs(seconds) > maxSeconds) {
      throw bad(`time "${shown(time)}" must be seconds or an index`)
    }
    if (key === "") throw bad("the key is empty")
    if (!/^\d{1,15}$/.test(size)) throw bad(`size "${shown(size)}" must be whole bytes`)
    const operation = Object.hasOwn(operations, op) ? operations[op] : undefined
    if (operation === undefined) throw bad(`op "${shown(op)}" must be r, w or d`)
    if (trace.rows() === 0) begin = seconds
    const at = epoch + (seconds - begin) * 1000
    trace.add({ at, key, size: Number(size), operation, session: session === "" ? undefined : session })
  }

  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    on_record: (record: ReadonlyArray<string>, { lines }) => {
      onRecord(record, lines)
      return null
    }
  })
  try {
    await pipeline(bytes, parser, async (records) => {
      for await (const _ of records);
    })
  } catch (cause) {
    throw cause instanceof CsvError ? failure("BadRow", `line ${parser.info.lines}: ${oneLine(cause.message)}.`) : cause
  }
  if (columns === 0) throw failure("Empty", "the file is empty: begin it with the line time,key,size,op.")
}

/** Beyond this a date is none any more: the year 10,000. */
const maxSeconds = 253_402_300_800

const oneLine = (text: string): string => text.replace(/\s+/g, " ").replace(/\.$/, "")

const shown = (text: string): string => oneLine(text).slice(0, 60)
