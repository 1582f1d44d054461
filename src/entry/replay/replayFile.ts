import { createReadStream } from "node:fs"
import { open } from "node:fs/promises"
import { basename } from "node:path"
import type { Readable } from "node:stream"
import { createGunzip } from "node:zlib"
import * as Effect from "effect/Effect"
import * as Trace from "../../services/replay/model/Trace.ts"
import { WorkloadError } from "../../services/replay/Workload.ts"

/** Feeds the bytes of a file into a trace; rejects with a `WorkloadError` at what it cannot take. */
export type Reader = (bytes: Readable, trace: ReturnType<typeof Trace.builder>) => Promise<void>

/** A trace from a file, unpacked when it is gzip. It bears the file's name without its endings. */
export const read = (file: string, reader: Reader): Effect.Effect<Trace.Trace, WorkloadError> =>
  Effect.tryPromise({
    try: async () => {
      const packed = await isGzip(file)
      const source = createReadStream(file)
      const bytes = packed ? source.pipe(createGunzip()) : source
      source.on("error", (cause) => bytes.destroy(cause))
      const trace = Trace.builder()
      await reader(bytes, trace)
      if (trace.rows() === 0) throw failure("Empty", `${file} holds no request: give a trace with at least one.`)
      return trace.finish(
        basename(file)
          .replace(/\.gz$/, "")
          .replace(/\.(csv|log|txt)$/, "")
      )
    },
    catch: (cause) => (cause instanceof WorkloadError ? cause : unreadable(file, cause))
  })

export const failure = (reason: WorkloadError["reason"], detail: string): WorkloadError =>
  new WorkloadError({ operation: "read", reason, detail })

const isGzip = async (file: string): Promise<boolean> => {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b
  } finally {
    await handle.close()
  }
}

const unreadable = (file: string, cause: unknown): WorkloadError =>
  new WorkloadError({
    operation: "read",
    reason: "NoFile",
    detail: `${file} cannot be read (${cause instanceof Error ? cause.message : cause}): give a CSV, a log, or one in gzip.`,
    cause
  })
