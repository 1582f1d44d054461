/**
 * What stands for a value in a replay: whose it is, the number of the write that brought it, and the bytes it would
 * have. A size is a weight, never allocated, so a trace of gigabytes replays in megabytes.
 */
const bytes = 16

/**
 * @param version the write's number; 0 for what was there before the first
 * @param size bytes, below 2^32
 * @param entry its entry's position in the workload, below 2^32
 */
export const encode = (version: number, size: number, entry: number): Uint8Array => {
  const value = new Uint8Array(bytes)
  put(value, 0, version % 2 ** 32)
  put(value, 4, Math.floor(version / 2 ** 32))
  put(value, 8, size)
  put(value, 12, entry)
  return value
}

export const versionOf = (value: Uint8Array): number => take(value, 0) + take(value, 4) * 2 ** 32

export const entryOf = (value: Uint8Array): number => take(value, 12)

/** Bytes that a value counts for: what it declares, or its length if it declares nothing. */
export const weigh = (value: Uint8Array): number => (value.byteLength === bytes ? take(value, 8) : value.byteLength)

const put = (value: Uint8Array, offset: number, word: number): void => {
  value[offset] = word
  value[offset + 1] = word >>> 8
  value[offset + 2] = word >>> 16
  value[offset + 3] = word >>> 24
}

const take = (value: Uint8Array, offset: number): number =>
  (value[offset]! | (value[offset + 1]! << 8) | (value[offset + 2]! << 16) | (value[offset + 3]! << 24)) >>> 0
