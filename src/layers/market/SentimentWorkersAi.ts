import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { openConnections } from "../../services/base/model/OpenConnections.ts"
import { labelOf, type Scored, Sentiment, SentimentError } from "../../services/market/Sentiment.ts"
import * as SentimentLexicon from "./SentimentLexicon.ts"

/** What is needed of the binding `AI`. */
export interface AiBinding {
  readonly run: (model: string, input: { readonly text: string }) => Promise<unknown>
}

/** A text classifier answers with each label's probability. */
const Classified = Schema.Array(
  Schema.Struct({ label: Schema.String, score: Schema.Number.pipe(Schema.between(0, 1)) })
)

const decodeClassified = Schema.decodeUnknownEither(Classified)

/** How long one text may take. */
const deadline = Duration.seconds(3)

/** Characters of a text that are sent: a headline has fewer, and the model reads 512 tokens. */
const maxCharacters = 1000

/**
 * Score P(positive) - P(negative), confidence its size: a classifier of two labels that cannot decide says 0.5 to both.
 */
const scoredOf = (answer: unknown): Either.Either<Scored, SentimentError> => {
  const malformed = (cause: unknown) => new SentimentError({ operation: "score", reason: "Malformed", cause })
  return Either.flatMap(Either.mapLeft(decodeClassified(answer), malformed), (labels) => {
    const of = (name: string): number | undefined => labels.find(({ label }) => label.toUpperCase() === name)?.score
    const positive = of("POSITIVE")
    const negative = of("NEGATIVE")
    if (positive === undefined || negative === undefined) return Either.left(malformed(answer))
    const score = positive - negative
    return Either.right({ score, label: labelOf(score), confidence: Math.abs(score), method: "workers-ai" as const })
  })
}

/** A model of Workers AI reads each text; where it fails the lexicon does, and the result says which. Never fails. */
export const make = (ai: AiBinding, model: string): Sentiment["Type"] => {
  const one = (text: string): Effect.Effect<Scored, SentimentError> =>
    Effect.tryPromise({
      try: () => ai.run(model, { text: text.slice(0, maxCharacters) }),
      catch: (cause) => new SentimentError({ operation: "score", reason: "Unavailable", cause })
    }).pipe(
      Effect.timeoutFail({
        duration: deadline,
        onTimeout: () => new SentimentError({ operation: "score", reason: "TimedOut" })
      }),
      Effect.flatMap(scoredOf)
    )
  return {
    score: (texts) =>
      Effect.suspend(() => {
        let failures = 0
        return Effect.forEach(
          texts,
          (text) =>
            // A model that failed is not waited for again by the same question.
            (failures > 0 ? SentimentLexicon.make.score([text]) : Effect.map(one(text), (scored) => [scored])).pipe(
              Effect.catchAll((error) => {
                failures += 1
                return Effect.zipRight(
                  failures === 1
                    ? Effect.logWarning("the model does not answer: the lexicon does", error)
                    : Effect.void,
                  SentimentLexicon.make.score([text])
                )
              }),
              Effect.map(([scored]) => scored!)
            ),
          { concurrency: openConnections }
        )
      })
  }
}

export const layer = (ai: AiBinding, model: string): Layer.Layer<Sentiment> => Layer.succeed(Sentiment, make(ai, model))
