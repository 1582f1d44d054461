export interface RecordOptions {
  /** Bytes that the message said it has; undefined where it did not. */
  readonly announced: number | undefined
  /** Bytes up to which a body is collected in memory. */
  readonly small: number
  /** Bytes up to which a body is kept at all. */
  readonly most: number
  /** Called with a small body once it is complete, before the client has its end. */
  readonly collected: (bytes: Uint8Array) => void
  /** Keeps a larger body; true once it is kept. */
  readonly large: (body: ReadableStream<Uint8Array>) => Promise<boolean>
}

/** A body that was kept entirely; `bytes` are missing where `large` has them. */
export interface Recorded {
  readonly size: number
  readonly bytes: Uint8Array | undefined
}

type Writer = WritableStreamDefaultWriter<Uint8Array>

const concatenated = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  if (chunks.length === 1) return chunks[0]!
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

/** A pipe; in workerd one of known length, so that the response says how long it is. */
const identity = (length: number | undefined): ReadableWritablePair<Uint8Array, Uint8Array> =>
  length !== undefined && typeof FixedLengthStream === "function"
    ? new FixedLengthStream(length)
    : new TransformStream<Uint8Array, Uint8Array>()

/** Writes to someone who may have gone, or is done (`done`) without having read everything; false from then on. */
const written = async (writer: Writer, chunk: Uint8Array, done?: Promise<unknown>): Promise<boolean> => {
  const write = writer.ready
    .then(() => writer.write(chunk))
    .then(
      () => true,
      () => false
    )
  return done === undefined ? write : Promise.race([write, done.then(() => false)])
}

const ended = (writer: Writer | undefined): Promise<void> =>
  (writer?.close() ?? Promise.resolve()).catch(() => undefined)

/** Nobody waits for it: a write under way would have to end first, which it may never do. */
const fail = (writer: Writer | undefined, error: unknown): void => void writer?.abort(error).catch(() => undefined)

/**
 * Copies a body to a client and to a keeper, chunk by chunk, waiting for both. Unlike `tee`, which queues without a
 * bound what the slower branch has not read. What is small is collected; from `small` bytes on the collected beginning
 * and the rest stream into `large`.
 */
export const recordBody = (
  source: ReadableStream<Uint8Array> | null,
  { announced, collected, large, most, small }: RecordOptions
): { readonly passing: ReadableStream<Uint8Array> | null; readonly ended: Promise<Recorded | undefined> } => {
  if (source === null) {
    const bytes = new Uint8Array(0)
    collected(bytes)
    return { passing: null, ended: Promise.resolve({ size: 0, bytes }) }
  }
  const client = identity(announced)
  const passing = client.writable.getWriter()
  passing.closed.catch(() => undefined)

  const pump = async (): Promise<Recorded | undefined> => {
    const reader = source.getReader()
    let chunks: Array<Uint8Array> = []
    let size = 0
    let present = true
    let keeping = announced === undefined || announced <= most
    let keeper: Writer | undefined
    let taken: Promise<boolean> | undefined
    let whole: Uint8Array | undefined
    const collect = () => {
      if (whole !== undefined || !keeping || keeper !== undefined) return
      whole = concatenated(chunks, size)
      collected(whole)
    }
    const stopKeeping = () => {
      keeping = false
      chunks = []
      fail(keeper, new Error("not kept"))
    }
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        size += value.byteLength
        if (keeping && size > most) stopKeeping()
        if (keeping && keeper === undefined) {
          // What goes on to the client is the client's.
          chunks.push(value.slice())
          if (size > small) {
            const stream = new TransformStream<Uint8Array, Uint8Array>()
            keeper = stream.writable.getWriter()
            keeper.closed.catch(() => undefined)
            taken = large(stream.readable).catch(() => false)
            for (const chunk of chunks) keeping = keeping && (await written(keeper, chunk, taken))
            chunks = []
          }
        } else if (keeping && keeper !== undefined && !(await written(keeper, value, taken))) stopKeeping()
        if (size === announced) collect()
        if (present) present = await written(passing, value)
        if (!present && !keeping) {
          await reader.cancel()
          return undefined
        }
      }
    } catch (error) {
      fail(passing, error)
      fail(keeper, error)
      return undefined
    }
    const complete = keeping && (announced === undefined || announced === size)
    if (complete) collect()
    if (!complete) fail(keeper, new Error("incomplete"))
    await Promise.all([
      present ? ended(passing) : undefined,
      complete && keeper !== undefined ? Promise.race([ended(keeper), taken]) : undefined
    ])
    if (!complete) return undefined
    if (keeper === undefined) return { size, bytes: whole }
    return (await taken) === true ? { size, bytes: undefined } : undefined
  }

  return { passing: client.readable, ended: pump() }
}
