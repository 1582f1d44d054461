import {
  type AliasPlace,
  type Applied,
  type CaseRule,
  collision,
  type DateRule,
  malformed,
  type SynonymsRule
} from "../../store/model/AliasRule.ts"
import { daysFromToday, makeCalendar } from "./AliasDates.ts"

export type ValueRule = CaseRule | DateRule | SynonymsRule

/** What becomes of a value at one place: its case, then its synonym, then its date. */
export interface Values {
  readonly canonical: (value: string, now: number, applied?: Applied) => string
  /** The same without dates: what does not depend on the day. Undefined for a word that does. */
  readonly timeless: (value: string) => string | undefined
  /** Equal for places with equal rules. */
  readonly signature: string
}

/** Segments that a rule may name: more than any path needs. */
const maxSegment = 31

/** One text for one place. Throws for what is none. */
export const placeOf = ({ segment, parameter }: AliasPlace): string => {
  if (parameter === undefined) {
    if (segment === undefined) return "segment 0"
    if (Number.isInteger(segment) && segment >= 0 && segment <= maxSegment) return `segment ${segment}`
    throw malformed(`"segment" is a whole number from 0 to ${maxSegment}, not ${segment}`)
  }
  if (segment !== undefined) throw malformed(`a rule names a "segment" or a "parameter", not both`)
  return `parameter ${parameterName(parameter)}`
}

export const parameterName = (name: string): string => {
  if (name === "" || /[&=]/.test(name)) throw malformed(`"${name}" cannot name a parameter`)
  return name
}

const isAscii = (text: string): boolean => !/[\u0080-\uffff]/.test(text)
const lowerCase = (text: string): string =>
  isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
const upperCase = (text: string): string =>
  isAscii(text) ? text.toUpperCase() : text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())

/** Compiles the rules of one place, each with its index among all rules. Throws {@link AliasError}. */
export const compileValues = (place: string, rules: ReadonlyArray<readonly [number, ValueRule]>): Values => {
  const only = <K extends "case" | "date">(kind: K) => {
    const [first, second] = rules.filter((it): it is readonly [number, Extract<ValueRule, { rule: K }>] => {
      return it[1].rule === kind
    })
    if (second !== undefined) throw collision(`two "${kind}" rules for ${place}`)
    return first
  }
  const caseRule = only("case")
  const dateRule = only("date")
  const folded: (text: string) => string =
    caseRule === undefined ? (text) => text : caseRule[1].to === "upper" ? upperCase : lowerCase
  const dateOf = dateRule && calendarOf(dateRule[1].zone)
  const days = (word: string): number | undefined =>
    dateOf && daysFromToday(caseRule === undefined ? word : lowerCase(word))

  const synonyms = new Map<string, { readonly to: string; readonly index: number }>()
  for (const [index, rule] of rules) {
    if (rule.rule !== "synonyms") continue
    for (const [word, to] of Object.entries(rule.words)) {
      for (const text of [word, to]) checkValue(place, text)
      const from = folded(word)
      if (folded(to) !== to) throw collision(`"${to}" for "${word}" at ${place} is not as its "case" rule writes it`)
      if (from === to) throw collision(`"${word}" at ${place} already is "${to}"`)
      if (synonyms.has(from)) throw collision(`"${word}" at ${place} has two synonyms`)
      if (dateOf !== undefined && (days(from) !== undefined || /^\d{4}-\d\d-\d\d$/.test(from))) {
        throw collision(`"${word}" at ${place} belongs to its "date" rule`)
      }
      synonyms.set(from, { to, index })
    }
  }
  for (const { to } of synonyms.values()) {
    if (synonyms.has(to)) throw collision(`"${to}" at ${place} stands for another word and has one itself`)
  }

  return {
    canonical: (value, now, applied) => {
      let result = folded(value)
      if (result !== value) applied?.(caseRule![0])
      const synonym = synonyms.get(result)
      if (synonym !== undefined) {
        applied?.(synonym.index)
        result = synonym.to
      }
      const away = days(result)
      if (away === undefined) return result
      applied?.(dateRule![0])
      return dateOf!(away, now)
    },
    timeless: (value) => {
      const result = folded(value)
      const word = synonyms.get(result)?.to ?? result
      return days(word) === undefined ? word : undefined
    },
    signature: JSON.stringify([
      caseRule?.[1].to,
      dateRule?.[1].zone,
      [...synonyms].map(([from, { to }]) => [from, to]).sort()
    ])
  }
}

const calendarOf = (zone: string): ReturnType<typeof makeCalendar> => {
  try {
    return makeCalendar(zone)
  } catch {
    throw malformed(`"${zone}" is not a time zone of the IANA database, such as "America/New_York"`)
  }
}

/** A value that could end its place would make another key of it. */
export const checkValue = (place: string, text: string): void => {
  if (text === "" || (place.startsWith("segment") ? /[/?]/ : /&/).test(text)) {
    throw malformed(`"${text}" cannot be a value at ${place}`)
  }
}
