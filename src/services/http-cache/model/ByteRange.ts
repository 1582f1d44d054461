import type { Part } from "./StoredResponse.ts"

const single = /^bytes=\s*(\d*)-(\d*)\s*$/i

/** A range as asked for: from a position, or so many bytes from the end. */
export type ByteRange = { readonly first: number; readonly last: number | undefined } | { readonly suffix: number }

/**
 * A `Range` of one byte range. Undefined for everything else: several ranges, other units and what is malformed are
 * ignored, as a server may (RFC 9110, 14.2), and the whole representation is the answer.
 */
export const parse = (field: string): ByteRange | undefined => {
  const match = single.exec(field)
  if (match === null) return undefined
  const [, first, last] = match
  if (first === "") return last === "" ? undefined : { suffix: Number(last) }
  if (last === "") return { first: Number(first), last: undefined }
  return Number(last) < Number(first) ? undefined : { first: Number(first), last: Number(last) }
}

/** The part of `size` bytes that the range names; undefined when it names none of them (416). */
export const resolve = (range: ByteRange, size: number): Part | undefined => {
  if ("suffix" in range) {
    return range.suffix === 0 || size === 0
      ? undefined
      : { first: Math.max(0, size - range.suffix), last: size - 1, size }
  }
  if (range.first >= size) return undefined
  return { first: range.first, last: Math.min(range.last ?? size - 1, size - 1), size }
}

export const within = (inner: Part, outer: Part): boolean => outer.first <= inner.first && inner.last <= outer.last

/** Both as one part, when nothing is missing between them and they are parts of the same number of bytes. */
export const joined = (a: Part, b: Part): Part | undefined => {
  if (a.size !== b.size || a.first > b.last + 1 || b.first > a.last + 1) return undefined
  return { first: Math.min(a.first, b.first), last: Math.max(a.last, b.last), size: a.size }
}

export const isWhole = ({ first, last, size }: Part): boolean => first === 0 && last === size - 1
