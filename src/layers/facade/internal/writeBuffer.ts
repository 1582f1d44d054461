/** Bytes of values that may wait; beyond, writes go straight to KV. */
const maxBufferedBytes = 8 * 1024 * 1024

export interface Buffered<W> {
  readonly write: W
  readonly bytes: number
}

/** The last write of each key that was acknowledged and waits for its flush. */
export const makeWriteBuffer = <W>() => {
  const waiting = new Map<string, Buffered<W>>()
  let total = 0

  const take = (key: string): Buffered<W> | undefined => {
    const found = waiting.get(key)
    if (found === undefined) return undefined
    waiting.delete(key)
    total -= found.bytes
    return found
  }

  return {
    get: (key: string): W | undefined => waiting.get(key)?.write,
    keys: (): ReadonlyArray<string> => [...waiting.keys()],
    size: (): number => waiting.size,
    take,
    /** False where there is no room. */
    put: (key: string, write: W, bytes: number): boolean => {
      const before = waiting.get(key)?.bytes ?? 0
      if (total - before + bytes > maxBufferedBytes) return false
      take(key)
      waiting.set(key, { write, bytes })
      total += bytes
      return true
    },
    /** Back again after it could not be flushed, unless a later one came. */
    restore: (key: string, { bytes, write }: Buffered<W>): void => {
      if (waiting.has(key)) return
      waiting.set(key, { write, bytes })
      total += bytes
    }
  }
}
