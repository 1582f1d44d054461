import type { Transform } from "node:stream"

interface ZlibStream extends Transform {
  readonly bytesWritten: number
}

export interface StreamRules {
  /** Bytes that may come out. */
  readonly limit: number
  readonly tooLarge: () => Error
  readonly damaged: (cause: unknown) => Error
  /** Whether every byte given must have been used: deflate and brotli ignore what follows their end. */
  readonly exact: boolean
}

/**
 * A stream sent through zlib. zlib stops while nobody takes what it made, and takes the next chunk when it has used up
 * the last one: memory stays constant, however far a chunk expands.
 */
export const through = (
  source: ReadableStream<Uint8Array>,
  zlib: ZlibStream,
  rules: StreamRules
): ReadableStream<Uint8Array> => {
  const reader = source.getReader()
  // workerd reports a failed source that nobody waits for at this promise, too.
  reader.closed.catch(() => undefined)
  const chunks = transformed(reader, zlib, rules)
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: async (reason) => {
      zlib.destroy()
      await reader.cancel(reason)
    }
  })
}

async function* transformed(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  zlib: ZlibStream,
  { damaged, exact, limit, tooLarge }: StreamRules
): AsyncGenerator<Uint8Array, undefined> {
  let given = 0
  let made = 0
  let sourceFailure: { readonly cause: unknown } | undefined
  const feed = async () => {
    for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) {
      given += next.value.byteLength
      const chunk = next.value
      await new Promise<void>((resolve, reject) => {
        zlib.write(chunk, (error) => (error ? reject(error) : resolve()))
      })
    }
    zlib.end()
  }
  try {
    feed().catch((cause) => {
      if (zlib.errored === null) sourceFailure = { cause }
      zlib.destroy(cause instanceof Error ? cause : new Error(String(cause)))
    })
    for await (const chunk of zlib as AsyncIterable<Uint8Array>) {
      made += chunk.byteLength
      if (made > limit) throw tooLarge()
      yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    }
  } catch (cause) {
    if (sourceFailure !== undefined) throw sourceFailure.cause
    throw made > limit ? cause : damaged(cause)
  } finally {
    zlib.destroy()
    reader.cancel().catch(() => undefined)
  }
  if (exact && zlib.bytesWritten !== given) throw damaged(undefined)
  return undefined
}
