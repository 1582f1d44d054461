import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TypedCollection from "../repository/model/TypedCollection.ts"
import * as declared from "./model/MarketCollections.ts"

export const SentimentLabel = Schema.Literal("positive", "neutral", "negative")

export type SentimentLabel = Schema.Schema.Type<typeof SentimentLabel>

export const SentimentMethod = Schema.Literal("lexicon", "workers-ai")

/** What one text says, or several together. */
export const Scored = Schema.Struct({
  /** From -1, as bad as can be, to 1. */
  score: Schema.Number.pipe(Schema.between(-1, 1)),
  label: SentimentLabel,
  /** From 0, nothing to go by, to 1. */
  confidence: Schema.Number.pipe(Schema.between(0, 1)),
  /** Who read it: a model that fails is replaced by the lexicon. */
  method: SentimentMethod
})

export interface Scored extends Schema.Schema.Type<typeof Scored> {}

export class SentimentError extends Data.TaggedError("SentimentError")<{
  readonly operation: "score"
  readonly reason: "Unavailable" | "TimedOut" | "Malformed"
  readonly cause?: unknown
}> {}

/** Reads English headlines of the financial press. */
export class Sentiment extends Context.Tag("larder/Sentiment")<
  Sentiment,
  {
    /** One result per text, in the order given. */
    readonly score: (texts: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Scored>, SentimentError>
  }
>() {}

/** Beyond these a score is no longer neutral. Hutto and Gilbert, VADER, ICWSM 2014. */
const threshold = 0.05

export const labelOf = (score: number): SentimentLabel =>
  score >= threshold ? "positive" : score <= -threshold ? "negative" : "neutral"

/**
 * Several texts as one: the mean of their scores, each counting as much as it is sure. With c and s their confidences
 * and scores, and n those with any confidence, the whole is sure by |Σcs| / Σc|s|, how far they agree, times the mean
 * confidence, times n / (n + 1).
 */
export const combined = (texts: ReadonlyArray<Scored>): Scored => {
  const telling = texts.filter(({ confidence }) => confidence > 0)
  const weight = telling.reduce((sum, { confidence }) => sum + confidence, 0)
  const total = telling.reduce((sum, { confidence, score }) => sum + confidence * score, 0)
  const size = telling.reduce((sum, { confidence, score }) => sum + confidence * Math.abs(score), 0)
  const score = weight === 0 ? 0 : clamp(total / weight)
  const agreement = size === 0 ? 0 : Math.abs(total) / size
  const method = texts.some((text) => text.method === "lexicon") || texts.length === 0 ? "lexicon" : "workers-ai"
  const confidence = telling.length === 0 ? 0 : (agreement * weight) / (telling.length + 1)
  return { score, label: labelOf(score), confidence: Math.min(confidence, 1), method }
}

/** Rounding may carry a mean over the edge. */
const clamp = (score: number): number => Math.min(1, Math.max(-1, score))

/** What the press says of one symbol. */
export const SymbolSentiment = Schema.Struct({
  symbol: Schema.NonEmptyString,
  /** When it was read, in milliseconds since the epoch. */
  at: Schema.Int,
  ...Scored.fields,
  headlines: Schema.Array(
    Schema.Struct({ title: Schema.String, publishedAt: Schema.Int, score: Scored.fields.score, label: SentimentLabel })
  )
})

export interface SymbolSentiment extends Schema.Schema.Type<typeof SymbolSentiment> {}

/** By symbol, in upper case. News of the last half hour may be missing. */
export const sentiments = TypedCollection.make({
  ...declared.sentiments,
  key: Schema.NonEmptyString,
  value: SymbolSentiment
})
