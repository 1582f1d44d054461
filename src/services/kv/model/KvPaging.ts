import { KvError, limits } from "../Kv.ts"

/**
 * The order of UTF-8 bytes. It is the order of code points, which that of UTF-16 units is not: surrogates, which stand
 * for the highest code points, lie below U+E000.
 */
export const compareUtf8 = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

export interface NamesPage {
  readonly names: ReadonlyArray<string>
  readonly cursor: string | undefined
}

/** One page of the names that begin with the prefix, and the cursor of the next one. */
export const pageOf = (
  names: Iterable<string>,
  options: { readonly prefix?: string; readonly cursor?: string; readonly limit?: number } = {}
): NamesPage | KvError => {
  const after = options.cursor === undefined ? undefined : nameAt(options.cursor)
  if (after instanceof KvError) return after
  const prefix = options.prefix ?? ""
  const limit = options.limit ?? limits.listKeys
  const rest: Array<string> = []
  for (const name of names) {
    if (name.startsWith(prefix) && (after === undefined || compareUtf8(name, after) > 0)) rest.push(name)
  }
  rest.sort(compareUtf8)
  const page = rest.slice(0, limit)
  return { names: page, cursor: rest.length > limit ? encodeURIComponent(page[limit - 1]!) : undefined }
}

const nameAt = (cursor: string): string | KvError => {
  try {
    return decodeURIComponent(cursor)
  } catch (cause) {
    return new KvError({ operation: "list", reason: "BadOption", cause })
  }
}
