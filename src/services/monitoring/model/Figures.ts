/**
 * Counters by name, a name being its parts joined by `|`: `requests|GET cache|memory|200`. They only grow while an
 * isolate lives, so that those of many isolates and of many minutes add up.
 */
export type Figures = { readonly [name: string]: number }

export const noFigures: Figures = {}

export const plus = (one: Figures, other: Figures): Figures => {
  const sum: Record<string, number> = { ...one }
  for (const name in other) sum[name] = (sum[name] ?? 0) + other[name]!
  return sum
}

/** What was counted between two looks; names that did not change are left out. */
export const since = (before: Figures, after: Figures): Figures => {
  const difference: Record<string, number> = {}
  for (const name in after) {
    const grown = after[name]! - (before[name] ?? 0)
    if (grown !== 0) difference[name] = grown
  }
  return difference
}

export const isNone = (figures: Figures): boolean => {
  for (const _ in figures) return false
  return true
}

/** A part of a name, without what separates parts. */
export const part = (text: string): string => text.replaceAll("|", "/")

/** Those under a prefix (`kv|`), by the rest of their names. */
export const under = (figures: Figures, prefix: string): Figures => {
  const found: Record<string, number> = {}
  for (const name in figures) if (name.startsWith(prefix)) found[name.slice(prefix.length)] = figures[name]!
  return found
}

/** Names of the numbers in a tree of counts: `{kv: {reads: 1}}` is `prefix|kv|reads`. */
export const flattened = (prefix: string, counts: object): Figures => {
  const figures: Record<string, number> = {}
  for (const [name, value] of Object.entries(counts)) {
    if (typeof value === "number") figures[`${prefix}|${part(name)}`] = value
    else if (typeof value === "object" && value !== null) {
      Object.assign(figures, flattened(`${prefix}|${part(name)}`, value))
    }
  }
  return figures
}

/** A tree of the same form as `shape`, with the numbers that stand in the figures, or 0. */
export const shaped = <A extends object>(figures: Figures, prefix: string, shape: A): A =>
  Object.fromEntries(
    Object.entries(shape).map(([name, value]) => {
      const path = `${prefix}|${part(name)}`
      return [name, typeof value === "object" && value !== null ? shaped(figures, path, value) : (figures[path] ?? 0)]
    })
  ) as A
