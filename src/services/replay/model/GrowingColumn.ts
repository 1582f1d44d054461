type Column = Float64Array | Uint32Array | Int32Array | Uint8Array

/** A typed array that grows as values are added, at most to twice what it needs. */
export interface GrowingColumn<C extends Column> {
  readonly length: () => number
  readonly at: (index: number) => number
  readonly set: (index: number, value: number) => void
  readonly push: (value: number) => void
  /** The values in an array of just their number. */
  readonly trim: () => C
}

export const growing = <C extends Column>(make: (length: number) => C): GrowingColumn<C> => {
  let values = make(1024)
  let length = 0
  return {
    length: () => length,
    at: (index) => values[index]!,
    set: (index, value) => {
      values[index] = value
    },
    push: (value) => {
      if (length === values.length) {
        const larger = make(length * 2)
        larger.set(values)
        values = larger
      }
      values[length] = value
      length += 1
    },
    trim: () => values.slice(0, length) as C
  }
}
