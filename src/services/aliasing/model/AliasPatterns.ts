import { type Applied, collision, malformed, type PatternRule } from "../../store/model/AliasRule.ts"
import { checkValue, type Values } from "./AliasValues.ts"

/** A segment of a template: a literal, or the name of a variable. */
type Part = { readonly literal: string } | { readonly variable: string }

interface Pattern {
  readonly index: number
  readonly text: string
  readonly from: ReadonlyArray<Part>
  readonly to: ReadonlyArray<Part>
  /** For every segment of the result its literal, or the segment that it is taken from. */
  readonly made: ReadonlyArray<string | number>
}

type ValuesAt = (segment: number) => Values | undefined

/** The segments of a path in their other shape, or undefined where no pattern says so. */
export type Reshape = (segments: ReadonlyArray<string>, applied?: Applied) => ReadonlyArray<string> | undefined

/**
 * Compiles patterns so that one step is all there is to do: no path fits two of them, and none that a pattern makes fits
 * any. Throws {@link AliasError}.
 */
export const compilePatterns = (rules: ReadonlyArray<readonly [number, PatternRule]>, valuesAt: ValuesAt): Reshape => {
  const patterns = rules.map(([index, rule]) => compile(index, rule, valuesAt))
  refuseCollisions(patterns)
  const byLength = new Map<number, Array<Pattern>>()
  for (const pattern of patterns) {
    byLength.set(pattern.from.length, [...(byLength.get(pattern.from.length) ?? []), pattern])
  }
  return (segments, applied) => {
    const pattern = byLength.get(segments.length)?.find(({ from }) => fits(from, segments))
    if (pattern === undefined) return undefined
    applied?.(pattern.index)
    return pattern.made.map((part) => (typeof part === "string" ? part : segments[part]!))
  }
}

const fits = (template: ReadonlyArray<Part>, segments: ReadonlyArray<string>): boolean =>
  template.every((part, at) => ("literal" in part ? part.literal === segments[at] : segments[at] !== ""))

const compile = (index: number, rule: PatternRule, valuesAt: ValuesAt): Pattern => {
  const text = `${rule.from} -> ${rule.to}`
  const from = parse(rule.from).map((part, at) => settled(part, at, valuesAt, text))
  const to = parse(rule.to)
  const source = new Map(from.flatMap((part, at) => ("variable" in part ? [[part.variable, at] as const] : [])))
  const used = to.filter((part) => "variable" in part)
  if (new Set(used.map(({ variable }) => variable)).size !== used.length || source.size !== used.length) {
    throw malformed(`both sides of the pattern "${text}" must have the same variables, once each`)
  }
  const made = to.map((part, at) => {
    if ("literal" in part) {
      const settledPart = settled(part, at, valuesAt, text)
      if (settledPart.literal === part.literal) return part.literal
      throw collision(`"${part.literal}" in the pattern "${text}" is not as the rules of segment ${at} write it`)
    }
    const origin = source.get(part.variable)
    if (origin === undefined) throw malformed(`the pattern "${text}" does not say what {${part.variable}} is`)
    const before = valuesAt(origin)?.signature
    if (before !== undefined && before !== valuesAt(at)?.signature) {
      throw collision(
        `the pattern "${text}" moves {${part.variable}} to segment ${at}, which has other rules than ${origin}`
      )
    }
    return origin
  })
  return { index, text, from, to, made }
}

const parse = (template: string): ReadonlyArray<Part> => {
  const parts = template.split("/").map((text): Part => {
    const variable = /^\{([A-Za-z][A-Za-z0-9]*)\}$/.exec(text)?.[1]
    if (variable !== undefined) return { variable }
    if (/[{}]/.test(text)) throw malformed(`in "${template}" a variable is a whole segment: {name}`)
    checkValue("segment", text)
    return { literal: text }
  })
  const variables = parts.filter((part) => "variable" in part).map(({ variable }) => variable)
  if (new Set(variables).size === variables.length) return parts
  throw malformed(`"${template}" names a variable twice`)
}

/** A literal as the rules of its segment write it: paths come to the patterns when those have been applied. */
const settled = <P extends Part>(part: P, at: number, valuesAt: ValuesAt, text: string): P => {
  const values = "literal" in part ? valuesAt(at) : undefined
  if (values === undefined) return part
  const literal = values.timeless((part as { readonly literal: string }).literal)
  if (literal === undefined) throw collision(`segment ${at} of the pattern "${text}" is a date`)
  return { ...part, literal }
}

const refuseCollisions = (patterns: ReadonlyArray<Pattern>): void => {
  for (const [position, one] of patterns.entries()) {
    for (const other of patterns) {
      if (overlap(one.to, other.from)) {
        throw collision(`what the pattern "${one.text}" makes can be taken for the left side of "${other.text}"`)
      }
    }
    for (const other of patterns.slice(position + 1)) {
      if (overlap(one.from, other.from)) {
        throw collision(`some path fits both patterns "${one.text}" and "${other.text}"`)
      }
      if (overlap(one.to, other.to) && !isSameShape(one.to, other.to)) {
        throw collision(
          `the patterns "${one.text}" and "${other.text}" make one key of two that nobody called the same`
        )
      }
    }
  }
}

/** Whether some path fits both templates. */
const overlap = (one: ReadonlyArray<Part>, other: ReadonlyArray<Part>): boolean =>
  one.length === other.length &&
  one.every((part, at) => {
    const opposite = other[at]!
    return !("literal" in part && "literal" in opposite) || part.literal === opposite.literal
  })

const isSameShape = (one: ReadonlyArray<Part>, other: ReadonlyArray<Part>): boolean =>
  one.every((part, at) => "literal" in part === "literal" in other[at]!) && overlap(one, other)
