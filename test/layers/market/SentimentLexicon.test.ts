import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as SentimentLexicon from "../../../src/layers/market/SentimentLexicon.ts"
import { combined } from "../../../src/services/market/Sentiment.ts"
import { runs } from "../../support/runs.ts"

const score = (...texts: ReadonlyArray<string>) => Effect.runSync(SentimentLexicon.make.score(texts))

const scoreOf = (text: string) => score(text)[0]!.score

describe("SentimentLexicon", () => {
  const told: ReadonlyArray<readonly [label: string, text: string]> = [
    ["positive", "Apple beats estimates on strong iPhone demand"],
    ["positive", "Shares of Nvidia surge to record high"],
    ["positive", "Analysts upgrade Intel to outperform"],
    ["positive", "Fed signals rate cuts ahead"],
    ["negative", "Boeing misses estimates, cuts guidance"],
    ["negative", "Regulators probe Tesla over recall"],
    ["negative", "Oil stocks tumble as crude plunges"],
    ["negative", "Retailer files for bankruptcy after profit warning"],
    ["negative", "Growth is not robust, and demand isn’t strong"],
    ["neutral", "Coca-Cola to report results on Tuesday"],
    ["neutral", "Merck to present cancer drug data"]
  ]
  for (const [label, text] of told) {
    it(`reads "${text}" as ${label}`, () => assert.strictEqual(score(text)[0]!.label, label))
  }

  it("a negation turns a word, less than its opposite would", () => {
    assert.isBelow(scoreOf("results are not strong"), 0)
    assert.isAbove(scoreOf("results are not strong"), scoreOf("results are terrible"))
    assert.isAbove(scoreOf("it was never a fraud"), 0)
  })

  it("an intensifier speaks louder, a softener softer", () => {
    assert.isAbove(scoreOf("shares sharply rise"), scoreOf("shares rise"))
    assert.isBelow(scoreOf("shares slightly rise"), scoreOf("shares rise"))
    assert.isBelow(scoreOf("shares sharply fall"), scoreOf("shares fall"))
  })

  it("is surer of what several words agree on; of nothing, not at all", () => {
    const [one, two, torn, none] = score("profit", "profit and growth", "profit and fraud", "the of and")
    assert.isAbove(two!.confidence, one!.confidence)
    assert.isBelow(torn!.confidence, one!.confidence)
    assert.strictEqual(none!.confidence, 0)
  })

  it("any text at all has a score, a confidence and a label that fit each other", () => {
    const word = fc.oneof(
      fc.constantFrom("beats", "fraud", "not", "very", "constructor", "toString", "’", "💥"),
      fc.string()
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const [scored] = score(words.join(" "))
        assert.isTrue(Math.abs(scored!.score) < 1 && scored!.confidence >= 0 && scored!.confidence < 1)
        assert.strictEqual(
          scored!.label,
          scored!.score >= 0.05 ? "positive" : scored!.score <= -0.05 ? "negative" : "neutral"
        )
      }),
      { seed: 1, numRuns: runs(500) }
    )
  })

  it("several texts together lie between the worst and the best, and contradiction makes unsure", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...told.map(([, text]) => text)), { minLength: 1, maxLength: 8 }),
        (texts) => {
          const each = score(...texts)
          const telling = each.filter(({ confidence }) => confidence > 0).map((one) => one.score)
          const whole = combined(each)
          if (telling.length === 0) assert.deepStrictEqual([whole.score, whole.confidence], [0, 0])
          else {
            assert.isAtLeast(whole.score, Math.min(...telling) - 1e-12)
            assert.isAtMost(whole.score, Math.max(...telling) + 1e-12)
          }
          assert.isTrue(whole.confidence >= 0 && whole.confidence <= 1)
        }
      ),
      { seed: 2 }
    )
    const agreed = combined(score(told[0]![1], told[1]![1]))
    const torn = combined(score(told[0]![1], told[4]![1]))
    assert.isAbove(agreed.confidence, 3 * torn.confidence)
    assert.deepStrictEqual(combined([]), { score: 0, label: "neutral", confidence: 0, method: "lexicon" })
  })
})
