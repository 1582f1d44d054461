import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { read, type TraceFileOptions } from "../../../src/entry/replay/readers/traceFile.ts"
import type { Trace } from "../../../src/services/replay/model/Trace.ts"

const folder = mkdtempSync(join(tmpdir(), "larder-files-"))

/** Reads these bytes as the trace of a file. */
export const readBytes = (bytes: Uint8Array | string, options: TraceFileOptions = {}, name = "trace.log") => {
  const file = join(folder, name)
  writeFileSync(file, bytes)
  return read(file, options)
}

const operations = ["read", "write", "delete"]

/** A trace as rows, with what its store of record holds at the beginning. */
export const rowsOf = (trace: Trace) =>
  Array.from(trace.at, (at, row) => ({
    at: new Date(at).toISOString(),
    key: trace.keys[trace.key[row]!]!,
    size: trace.size[row]!,
    operation: operations[trace.operation[row]!]!,
    session: trace.session[row]!,
    ...(trace.ttl[row] === 0 ? {} : { ttl: trace.ttl[row]! }),
    ...(trace.startsAbsent[trace.key[row]!] === 1 ? { startsAbsent: true } : {})
  }))
