/** Numbers, booleans and tables of TOML count as what they would be as strings; bindings are no variables. */
const textOf = (value: unknown): string | undefined => {
  if (typeof value === "string") return value
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  if (typeof value !== "object" || value === null) return undefined
  const prototype = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
    ? JSON.stringify(value)
    : undefined
}

/** The variables and secrets of a Worker's environment, as text. */
export const variablesOf = (env: object): ReadonlyMap<string, string> => {
  const variables = new Map<string, string>()
  for (const [name, value] of Object.entries(env)) {
    const text = textOf(value)
    if (text !== undefined) variables.set(name, text)
  }
  return variables
}

/** How many characters have to be added, removed, replaced, or exchanged with their neighbour, to make one the other. */
export const editDistance = (one: string, other: string): number => {
  const rows = Array.from({ length: one.length + 1 }, (_, i) =>
    Array.from({ length: other.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0))
  )
  for (let i = 1; i <= one.length; i++) {
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1]
      const least = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1))
      const exchanged = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      rows[i]![j] = exchanged ? Math.min(least, rows[i - 2]![j - 2]! + 1) : least
    }
  }
  return rows[one.length]![other.length]!
}

const firstWord = (name: string): string => name.split("_")[0]!

/** A misspelling has no more mistakes than this. */
const mostMistakes = 2

/**
 * Names that nothing reads though they look like ours: they begin with the word that one of ours begins with, or are
 * a slip away from it. Each with the known name that is nearest.
 */
export const misspelled = (
  names: Iterable<string>,
  known: ReadonlyArray<string>
): ReadonlyArray<{ readonly name: string; readonly nearest: string }> => {
  const ours = new Set(known)
  const words = new Set(known.map(firstWord))
  return [...names].flatMap((name) => {
    if (ours.has(name)) return []
    const [nearest, distance] = known
      .map((one) => [one, editDistance(name.toUpperCase(), one)] as const)
      .reduce((best, next) => (next[1] < best[1] ? next : best), ["", Number.POSITIVE_INFINITY] as const)
    return distance <= mostMistakes || words.has(firstWord(name)) ? [{ name, nearest }] : []
  })
}
