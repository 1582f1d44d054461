/** One range as a client asks for it (RFC 9110, 14.1.2). `last` is inclusive. */
export type ByteRange = { readonly first: number; readonly last: number | undefined } | { readonly suffix: number }

export interface Slice {
  readonly offset: number
  readonly length: number
}

/**
 * The range of a `Range` header; undefined where it is to be ignored: another unit, several ranges, or no range by the
 * grammar (RFC 9110, 14.2 allows all three).
 */
export const parseRange = (header: string): ByteRange | undefined => {
  const found = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header)
  if (found === null) return undefined
  const [, first, last] = found
  if (first === "") return last === "" ? undefined : { suffix: Number(last) }
  const range = { first: Number(first), last: last === "" ? undefined : Number(last) }
  return range.last !== undefined && range.last < range.first ? undefined : range
}

/**
 * Which bytes of a representation the range names. `all`: a suffix of an empty one, which `Content-Range` cannot
 * express. R2 answers an unsatisfiable range with the full body or an error, so this is decided before it is asked.
 */
export const resolveRange = (range: ByteRange, size: number): Slice | "unsatisfiable" | "all" => {
  if ("suffix" in range) {
    if (range.suffix === 0) return "unsatisfiable"
    if (size === 0) return "all"
    const length = Math.min(range.suffix, size)
    return { offset: size - length, length }
  }
  if (range.first >= size) return "unsatisfiable"
  const last = Math.min(range.last ?? size - 1, size - 1)
  return { offset: range.first, length: last - range.first + 1 }
}
