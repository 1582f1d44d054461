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

/**
 * The first member that an object in JSON text has twice: `JSON.parse` would drop one of them unsaid. Objects within a
 * member called `kept` are somebody's data, and are not looked into.
 */
export const repeatedMember = (text: string, kept: string): string | undefined => {
  const spans = new Spans(text)
  const open: Array<Set<string> | undefined> = []
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === openBrace) open.push(new Set())
    else if (code === openBracket) open.push(undefined)
    else if (code === closeBrace || code === closeBracket) open.pop()
    else if (code === quote) {
      const end = endOfString(text, at)
      const value = spans.valueBehind(end)
      const names = value === undefined ? undefined : open.at(-1)
      if (names !== undefined) {
        const name = nameIn(text.slice(at, end + 1))
        if (names.has(name)) return name
        names.add(name)
      }
      at = value !== undefined && text.slice(at + 1, end) === kept ? spans.endOf(value) - 1 : end
    }
  }
  return undefined
}

const nameIn = (quoted: string): string => {
  try {
    return quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  } catch {
    return quoted
  }
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

  /** Where the value begins whose name ends at this quote; undefined where that ends no name. */
  valueBehind(end: number): number | undefined {
    const at = this.#skip(end + 1)
    return this.#code(at) === colon ? this.#skip(at + 1) : undefined
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
    } while (depth > 0 && at < this.text.length)
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
