/** How deep, how wide and how long a value is logged; what lies beyond is said to be there. */
const most = { depth: 8, members: 50, characters: 2000, values: 500 }

/**
 * Any value as JSON can say it, whatever it is: an error by its name, message, fields and cause, which JSON.stringify
 * leaves out; numbers that JSON does not have, dates and maps in words; a circle as `[circular]`. Never throws, and never
 * gives an object without members where there is more to say.
 */
export const logValue = (value: unknown): unknown => {
  let left = most.values
  const path = new Set<object>()

  const written = (it: unknown, depth: number): unknown => {
    switch (typeof it) {
      case "string":
        return it.length > most.characters ? `${it.slice(0, most.characters)} …` : it
      case "number":
        return Number.isFinite(it) ? it : String(it)
      case "boolean":
        return it
      case "undefined":
        return "undefined"
      case "object":
        return it === null ? null : within(it, depth)
      case "function":
        return `function ${it.name}`
      default:
        return `${String(it)}${typeof it === "bigint" ? "n" : ""}`
    }
  }

  const within = (it: object, depth: number): unknown => {
    if (path.has(it)) return "[circular]"
    if (depth >= most.depth || left-- <= 0) return "[more]"
    path.add(it)
    try {
      return membersOf(it, depth + 1)
    } catch (error) {
      return `[unreadable: ${error instanceof Error ? error.message : String(error)}]`
    } finally {
      path.delete(it)
    }
  }

  const record = (entries: Iterable<readonly [string, unknown]>, depth: number): Record<string, unknown> => {
    const found: Record<string, unknown> = Object.create(null)
    let count = 0
    for (const [name, member] of entries) {
      if (member === undefined) continue
      if (count++ === most.members) {
        found["…"] = "[more]"
        break
      }
      found[name] = written(member, depth)
    }
    return found
  }

  const list = (items: Iterable<unknown>, depth: number): ReadonlyArray<unknown> => {
    const found: Array<unknown> = []
    for (const item of items) {
      if (found.length === most.members) return [...found, "[more]"]
      found.push(written(item, depth))
    }
    return found
  }

  const membersOf = (it: object, depth: number): unknown => {
    if (isError(it)) return record(errorMembers(it), depth)
    if (Array.isArray(it)) return list(it, depth)
    if (it instanceof Date) return Number.isNaN(it.getTime()) ? "[no date]" : it.toISOString()
    if (it instanceof Map && it.size > 0) return record(keyed(it), depth)
    if (it instanceof Set) return list(it, depth)
    if (ArrayBuffer.isView(it) || it instanceof ArrayBuffer) return `[${it.byteLength} bytes]`
    const { toJSON } = it as { toJSON?: unknown }
    if (typeof toJSON === "function") {
      const said: unknown = toJSON.call(it)
      if (said !== it && !(isBare(said) && Object.keys(said).length === 0)) return written(said, depth)
    }
    const found = record(ownMembers(it), depth)
    return Object.keys(found).length === 0 ? String(Object.prototype.toString.call(it)) : found
  }

  return written(value, 0)
}

const isBare = (it: unknown): it is object => typeof it === "object" && it !== null && !Array.isArray(it)

/** Also one of another realm, or of a host: they have a message of their own or of their class. */
const isError = (it: object): it is Error =>
  it instanceof Error || ("message" in it && typeof it.message === "string" && ("stack" in it || "name" in it))

/** Each read by itself: a getter that throws loses itself alone. */
function* ownMembers(it: object): Generator<readonly [string, unknown]> {
  for (const name of Object.keys(it)) yield [name, read(it, name)]
}

function* keyed(map: ReadonlyMap<unknown, unknown>): Generator<readonly [string, unknown]> {
  for (const [key, value] of map) yield [String(key), value === undefined ? "undefined" : value]
}

const read = (it: object, name: string): unknown => {
  try {
    return (it as Record<string, unknown>)[name]
  } catch (error) {
    return `[unreadable: ${String(error)}]`
  }
}

function* errorMembers(error: Error): Generator<readonly [string, unknown]> {
  yield ["name", read(error, "_tag") ?? read(error, "name")]
  const message = read(error, "message")
  if (message !== "") yield ["message", message]
  for (const [name, member] of ownMembers(error)) {
    if (!["_tag", "name", "message", "stack", "cause", "errors"].includes(name)) yield [name, member]
  }
  const { cause, errors } = { cause: read(error, "cause"), errors: read(error, "errors") }
  if (cause !== undefined) yield ["cause", cause]
  if (errors !== undefined) yield ["errors", errors]
}
