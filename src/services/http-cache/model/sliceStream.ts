import type { Part } from "./StoredResponse.ts"

/** The bytes from `first` to `last` of a stream; what lies before is read and dropped, what lies behind is not read. */
export const sliceStream = (source: ReadableStream<Uint8Array>, { first, last }: Part): ReadableStream<Uint8Array> => {
  const reader = source.getReader()
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return controller.error(new Error(`the body ended after ${at} bytes`))
        const start = at
        at += value.byteLength
        const from = Math.max(first - start, 0)
        const to = Math.min(last + 1 - start, value.byteLength)
        if (from < to) controller.enqueue(value.subarray(from, to))
        if (at > last) {
          controller.close()
          return reader.cancel()
        }
        if (from < to) return
      }
    },
    cancel: (reason) => reader.cancel(reason)
  })
}
