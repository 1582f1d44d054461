/**
 * A stream that ends only if the source ends without an error and after `size` bytes, where that is known; else it
 * fails, so that a cache that keeps it cannot take the beginning for the whole. The promise tells the same.
 */
export const complete = (
  source: ReadableStream<Uint8Array>,
  size: number | undefined
): readonly [ReadableStream<Uint8Array>, Promise<void>] => {
  let seen = 0
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      seen += chunk.byteLength
      controller.enqueue(chunk)
    },
    flush: () => {
      if (size !== undefined && seen !== size) throw new Error(`${seen} bytes instead of ${size}`)
    }
  })
  return [counted.readable, source.pipeTo(counted.writable)]
}
