import { isLegalKey, limits } from "../../kv/Kv.ts"
import { type AliasRule, type Applied, collision, malformed } from "../../store/model/AliasRule.ts"
import { compilePatterns } from "./AliasPatterns.ts"
import { checkValue, compileValues, parameterName, placeOf, type ValueRule, type Values } from "./AliasValues.ts"

/** The rules of one collection, compiled. */
export interface Alias {
  readonly rules: ReadonlyArray<AliasRule>
  /**
   * The one key that stands for all that the rules call the same: doing it twice changes nothing more, and the order in
   * which rules are declared does not matter. The key itself where it or the result is no key that KV takes.
   */
  readonly canonical: (key: string, now: number, applied?: Applied) => string
}

/** More rules than a collection can need, so that no key takes long. */
const maxRules = 64

/**
 * Compiles rules, in whatever order they are declared, to one pass over a key: values where they stand (case, synonym,
 * date), the path's shape, values where they stand now; then parameters: values, defaults out, the others in order.
 * Throws {@link AliasError} where rules collide, so that one pass is enough and none waits for another's turn.
 */
export const compile = (rules: ReadonlyArray<AliasRule>): Alias => {
  if (rules.length > maxRules) throw malformed(`a collection has at most ${maxRules} alias rules`)
  const sorted = sort(rules)
  const places = new Map([...sorted.values].map(([place, at]) => [place, compileValues(place, at)]))
  const segments = Array.from({ length: 32 }, (_, segment) => places.get(`segment ${segment}`))
  const reshape = compilePatterns(sorted.patterns, (segment) => segments[segment])
  const leavesPath = sorted.patterns.length === 0 && segments.every((values) => values === undefined)
  const query = compileQuery(sorted, places)

  const write = (path: ReadonlyArray<string>, now: number, applied?: Applied): ReadonlyArray<string> =>
    path.map((text, at) => segments[at]?.canonical(text, now, applied) ?? text)

  const pathOf = (path: string, now: number, applied?: Applied): string => {
    if (leavesPath) return path
    const written = write(path.split("/"), now, applied)
    const reshaped = reshape(written, applied)
    return (reshaped === undefined ? written : write(reshaped, now, applied)).join("/")
  }

  return {
    rules,
    canonical: (key, now, applied) => {
      if (key.length > limits.keyBytes) return key
      const mark = key.indexOf("?")
      const result =
        mark === -1
          ? pathOf(key, now, applied)
          : pathOf(key.slice(0, mark), now, applied) + query(key, mark, now, applied)
      return result === key || (isKey(result) && isKey(key)) ? result : key
    }
  }
}

/** A code unit is three bytes at most, so a short key needs no encoding to be measured. */
const isKey = (text: string): boolean =>
  text.length * 3 <= limits.keyBytes
    ? text !== "" && text !== "." && text !== ".." && text.isWellFormed()
    : isLegalKey(text)

type Numbered<R> = readonly [index: number, rule: R]

interface Sorted {
  /** By place. */
  readonly values: ReadonlyMap<string, ReadonlyArray<Numbered<ValueRule>>>
  readonly patterns: ReadonlyArray<Numbered<Extract<AliasRule, { rule: "pattern" }>>>
  /** By parameter. */
  readonly defaults: ReadonlyMap<string, Numbered<string>>
  /** Index of the rule that orders parameters. */
  readonly order: number | undefined
}

const sort = (rules: ReadonlyArray<AliasRule>): Sorted => {
  const values = new Map<string, Array<Numbered<ValueRule>>>()
  const patterns: Array<Sorted["patterns"][number]> = []
  const defaults = new Map<string, Numbered<string>>()
  let order: number | undefined
  for (const [index, rule] of rules.entries()) {
    switch (rule.rule) {
      case "pattern":
        patterns.push([index, rule])
        break
      case "default": {
        const name = parameterName(rule.parameter)
        if (defaults.has(name)) throw collision(`the parameter "${name}" has two defaults`)
        defaults.set(name, [index, rule.value])
        break
      }
      case "order":
        if (order !== undefined) throw collision(`the rule "order" is declared twice`)
        order = index
        break
      default: {
        const place = placeOf(rule)
        values.set(place, [...(values.get(place) ?? []), [index, rule]])
      }
    }
  }
  return { values, patterns, defaults, order }
}

/** Gives the canonical query of a key from its question mark on, with that or empty. */
const compileQuery = ({ defaults, order }: Sorted, places: ReadonlyMap<string, Values>) => {
  const omitted = new Map(
    [...defaults].map(([name, [index, value]]) => {
      const place = `parameter ${name}`
      checkValue(place, value)
      const values = places.get(place)
      const written = values === undefined ? value : values.timeless(value)
      if (written === undefined) throw collision(`the default "${value}" of "${name}" is another date every day`)
      return [name, { index, value: written }]
    })
  )

  return (key: string, mark: number, now: number, applied?: Applied): string => {
    const parameters = key
      .slice(mark + 1)
      .split("&")
      .map((text) => {
        const equals = text.indexOf("=")
        const name = equals === -1 ? text : text.slice(0, equals)
        if (equals === -1) return { name, value: undefined, text }
        const given = text.slice(equals + 1)
        const value = places.get(`parameter ${name}`)?.canonical(given, now, applied) ?? given
        return { name, value, text: value === given ? text : `${name}=${value}` }
      })
    const kept = parameters.filter(({ name, value }) => {
      const omit = omitted.get(name)
      if (omit === undefined || omit.value !== value || parameters.filter((it) => it.name === name).length > 1)
        return true
      applied?.(omit.index)
      return false
    })
    if (order !== undefined && kept.some(({ name }, at) => at > 0 && name < kept[at - 1]!.name)) {
      applied?.(order)
      kept.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
    }
    return kept.length === 0 ? "" : `?${kept.map(({ text }) => text).join("&")}`
  }
}
