/** Directives by lower-case name; `true` for one without a value. Of one given twice the first counts (RFC 9111, 4.2.1). */
export type Directives = ReadonlyMap<string, string | true>

/** The members of a comma-separated list; commas inside a quoted string separate nothing. Empty members are dropped. */
export const listMembers = (field: string): ReadonlyArray<string> => {
  if (!field.includes('"')) {
    return field
      .split(",")
      .map((member) => member.trim())
      .filter((member) => member !== "")
  }
  const members: Array<string> = []
  let quoted = false
  let start = 0
  for (let at = 0; at <= field.length; at++) {
    const character = field[at]
    if (quoted && character === "\\") at++
    else if (character === '"') quoted = !quoted
    else if (at === field.length || (character === "," && !quoted)) {
      const member = field.slice(start, at).trim()
      if (member !== "") members.push(member)
      start = at + 1
    }
  }
  if (start < field.length && quoted) members.push(field.slice(start).trim())
  return members
}

const unquoted = (value: string): string =>
  value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value

/**
 * A `Cache-Control` field. A name with a space before its `=` is another name, and a value with a space after it is
 * not a number: neither may make a response fresh.
 */
export const parse = (field: string | null): Directives => {
  const directives = new Map<string, string | true>()
  for (const member of listMembers(field ?? "")) {
    const equals = member.indexOf("=")
    const name = (equals === -1 ? member : member.slice(0, equals)).toLowerCase()
    if (!directives.has(name)) directives.set(name, equals === -1 ? true : unquoted(member.slice(equals + 1)))
  }
  return directives
}

/** A cache that counts in 32 bits would take a larger number for this one (RFC 9111, 1.2.2). */
const largestDelta = 2 ** 31

/** Seconds; undefined when absent. What is no number counts as 0, so that the response is stale. */
export const seconds = (directives: Directives, name: string): number | undefined => {
  const value = directives.get(name)
  if (value === undefined) return undefined
  return value !== true && /^\d+$/.test(value) ? Math.min(Number(value), largestDelta) : 0
}

/** `no-cache` and `private`: of the whole response, or of the fields they name only. */
export type Scope = "response" | ReadonlyArray<string> | undefined

export const scope = (directives: Directives, name: string): Scope => {
  const value = directives.get(name)
  if (value === undefined) return undefined
  const fields = value === true ? [] : listMembers(value).map((field) => field.toLowerCase())
  return fields.length === 0 ? "response" : fields
}
