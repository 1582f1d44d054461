/** A JSON value as it was written: numbers beyond a double's precision, spaces, members in any order. */
export class JsonText {
  constructor(readonly text: string) {}
}

/**
 * Parses JSON as `JSON.parse` does, but for one member of the objects in one array: `{"<array>": [{"<member>": …}]}`.
 * Text there is text, and any other value is kept as it was written. Throws on what is no JSON.
 */
export const parseKeeping = (json: string, array: string, member: string): unknown => {
  const parsed: unknown = JSON.parse(json)
  const items = isObject(parsed) ? parsed[array] : undefined
  if (!Array.isArray(items)) return parsed
  const spans = new Spans(json)
  const at = spans.members(spans.start).get(array)!
  for (const [index, start] of spans.elements(at).entries()) {
    const item: unknown = items[index]
    if (!isObject(item) || !Object.hasOwn(item, member) || typeof item[member] === "string") continue
    const value = spans.members(start).get(member)!
    item[member] = new JsonText(json.slice(value, spans.endOf(value)))
  }
  return parsed
}

/** Where a string ends that begins at `from`: the place of its closing quote. */
export const endOfString = (text: string, from: number): number => {
  let at = from + 1
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1
  return at
}

export const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]
const [comma, colon] = [0x2c, 0x3a]

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Where the values of JSON text begin and end. The text must be JSON. */
class Spans {
  constructor(readonly text: string) {}

  get start(): number {
    return this.#skip(0)
  }

  /** Where the members of the object that begins at `from` have their values, by name; the last of a name counts. */
  members(from: number): Map<string, number> {
    const found = new Map<string, number>()
    let at = this.#skip(from + 1)
    while (this.#code(at) !== closeBrace) {
      const end = endOfString(this.text, at)
      const value = this.#skip(this.#skip(end + 1) + 1)
      found.set(JSON.parse(this.text.slice(at, end + 1)) as string, value)
      at = this.#next(value)
    }
    return found
  }

  /** Where the elements of the array that begins at `from` begin. */
  elements(from: number): ReadonlyArray<number> {
    const found: Array<number> = []
    let at = this.#skip(from + 1)
    while (this.#code(at) !== closeBracket) {
      found.push(at)
      at = this.#next(at)
    }
    return found
  }

  /** The place behind the value that begins at `from`. */
  endOf(from: number): number {
    const first = this.#code(from)
    if (first === quote) return endOfString(this.text, from) + 1
    let at = from
    if (first !== openBracket && first !== openBrace) {
      while (at < this.text.length && !isDelimiter(this.#code(at))) at++
      return at
    }
    let depth = 0
    do {
      const code = this.#code(at)
      if (code === quote) at = endOfString(this.text, at)
      else if (code === openBracket || code === openBrace) depth++
      else if (code === closeBracket || code === closeBrace) depth--
      at++
    } while (depth > 0)
    return at
  }

  /** Where the member or element after the one whose value begins at `from` begins, or their object or array ends. */
  #next(from: number): number {
    const at = this.#skip(this.endOf(from))
    return this.#code(at) === comma ? this.#skip(at + 1) : at
  }

  #skip(from: number): number {
    let at = from
    while (isSpace(this.#code(at))) at++
    return at
  }

  #code(at: number): number {
    return this.text.charCodeAt(at)
  }
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

const isDelimiter = (code: number): boolean =>
  isSpace(code) || code === comma || code === colon || code === closeBracket || code === closeBrace
