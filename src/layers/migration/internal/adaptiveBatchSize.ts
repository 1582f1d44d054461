import type { Entry } from "../../../services/store/model/Entry.ts"

/** Bytes of values that a run holds at once: an isolate has 128 MiB, and half of it may be the memory tier's. */
const heldBytes = 16 * 1024 * 1024

/** Until it is known how large the values are. */
const firstSize = 4

const largestSize = 100

/** How many values to ask for at once, learnt from those that came: sizes are only known of what was read. */
export const makeAdaptiveBatchSize = () => {
  let size = firstSize
  return {
    of: <A>(items: ReadonlyArray<A>): ReadonlyArray<A> => items.slice(0, size),
    received: (entries: ReadonlyArray<Entry | undefined>): void => {
      const largest = entries.reduce((most, entry) => Math.max(most, entry?.value.byteLength ?? 0), 1)
      size = Math.max(1, Math.min(largestSize, size * 4, Math.floor(heldBytes / largest)))
    }
  }
}
