import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as SentimentLexicon from "../../../src/layers/market/SentimentLexicon.ts"
import * as SentimentWorkersAi from "../../../src/layers/market/SentimentWorkersAi.ts"

const texts = ["Apple beats estimates", "Boeing misses estimates", "Nothing new"]

const answering = (run: SentimentWorkersAi.AiBinding["run"]) => SentimentWorkersAi.make({ run }, "@cf/some/classifier")

const probabilities = (positive: number) => [
  { label: "NEGATIVE", score: 1 - positive },
  { label: "POSITIVE", score: positive }
]

describe("SentimentWorkersAi", () => {
  it.effect("the model's probabilities become score, label and confidence", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const sentiment = answering(async (model, input) => {
        asked.push([model, input])
        return probabilities(input.text.includes("beats") ? 0.875 : input.text.includes("misses") ? 0.25 : 0.5)
      })
      assert.deepStrictEqual(yield* sentiment.score(texts), [
        { score: 0.75, label: "positive", confidence: 0.75, method: "workers-ai" },
        { score: -0.5, label: "negative", confidence: 0.5, method: "workers-ai" },
        { score: 0, label: "neutral", confidence: 0, method: "workers-ai" }
      ])
      assert.deepStrictEqual(asked[0], ["@cf/some/classifier", { text: texts[0] }])
    })
  )

  const broken: ReadonlyArray<readonly [string, SentimentWorkersAi.AiBinding["run"]]> = [
    ["fails", () => Promise.reject(new Error("over capacity"))],
    ["answers nothing", async () => undefined],
    ["answers something else", async () => ({ response: "positive" })],
    ["knows other labels", async () => [{ label: "LABEL_0", score: 1 }]],
    ["answers no probability", async () => [{ label: "POSITIVE", score: 7 }]]
  ]
  for (const [name, run] of broken) {
    it.effect(`a model that ${name} is replaced by the lexicon, and the results say so`, () =>
      Effect.gen(function* () {
        const expected = yield* SentimentLexicon.make.score(texts)
        assert.deepStrictEqual(yield* answering(run).score(texts), expected)
        assert.strictEqual(expected[0]!.method, "lexicon")
      })
    )
  }

  it.effect("a model that fails for one text answers the others", () =>
    Effect.gen(function* () {
      const sentiment = answering((_, { text }) =>
        text.includes("misses") ? Promise.reject(new Error("no")) : Promise.resolve(probabilities(1))
      )
      const methods = (yield* sentiment.score(texts)).map(({ method }) => method)
      assert.deepStrictEqual(methods, ["workers-ai", "lexicon", "workers-ai"])
    })
  )

  it.effect("a model that never answers is waited for once, for three seconds", () =>
    Effect.gen(function* () {
      let asked = 0
      const sentiment = answering(() => {
        asked += 1
        return new Promise(() => undefined)
      })
      const many = Array.from({ length: 30 }, (_, index) => `headline ${index} beats estimates`)
      const fiber = yield* Effect.fork(sentiment.score(many))
      yield* TestClock.adjust("3 seconds")
      const scored = yield* Fiber.join(fiber)
      assert.isTrue(scored.every(({ method, score }) => method === "lexicon" && score > 0))
      assert.strictEqual(asked, 6)
    })
  )
})
