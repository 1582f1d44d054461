import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SentimentLexicon from "../../../src/layers/market/SentimentLexicon.ts"

interface Headline {
  readonly text: string
  readonly sign: 1 | -1
}

const subjects = [
  "Apple",
  "Shares of Deutsche Bank",
  "U.S. retailers",
  "The No. 1 carmaker",
  "Oil stocks",
  "Profits at Acme Inc."
]

/** What subjects do: now, with `has`, with `to`, and `-ing`. */
const verbs: ReadonlyArray<readonly [sign: 1 | -1, present: string, past: string, base: string, ing: string]> = [
  [1, "surges", "surged", "surge", "surging"],
  [1, "rallies", "rallied", "rally", "rallying"],
  [1, "soars", "soared", "soar", "soaring"],
  [1, "recovers", "recovered", "recover", "recovering"],
  [1, "impresses", "impressed", "impress", "impressing"],
  [1, "grows", "grown", "grow", "growing"],
  [1, "skyrockets", "skyrocketed", "skyrocket", "skyrocketing"],
  [1, "climbs", "climbed", "climb", "climbing"],
  [-1, "plunges", "plunged", "plunge", "plunging"],
  [-1, "disappoints", "disappointed", "disappoint", "disappointing"],
  [-1, "plummets", "plummeted", "plummet", "plummeting"],
  [-1, "collapses", "collapsed", "collapse", "collapsing"],
  [-1, "tumbles", "tumbled", "tumble", "tumbling"],
  [-1, "weakens", "weakened", "weaken", "weakening"],
  [-1, "falls", "fallen", "fall", "falling"],
  [-1, "suffers", "suffered", "suffer", "suffering"]
]

const sentences: ReadonlyArray<Headline> = verbs.flatMap(([sign, present, past, base, ing], verb) =>
  subjects.flatMap((subject): ReadonlyArray<Headline> => {
    const plain: ReadonlyArray<string> = [
      `${subject} ${present}`,
      `${subject} has ${past} again`,
      `${subject} keeps ${ing}`
    ]
    const turned: ReadonlyArray<string> = [
      `${subject} hasn't ${past}`,
      `${subject} isnt ${ing}`,
      `${subject} doesn't ${base}`,
      `${subject} fails to ${base}`,
      `${subject} has hardly ${past}`,
      `${subject} has never ${past} this year`,
      `Nothing at ${subject} ${present}`,
      `${subject} is far from ${ing}`
    ]
    const some = (all: ReadonlyArray<string>, each: number) => all.filter((_, at) => (at + verb) % each === 0)
    return [
      ...plain.map((text) => ({ text, sign })),
      ...some(turned, 2).map((text) => ({ text, sign: -sign as 1 | -1 })),
      ...(sign > 0
        ? [
            { text: `No recession. ${subject} ${present}`, sign },
            { text: `${subject} ${present} as fears of a recession ease`, sign }
          ]
        : [{ text: `Not only that: ${subject} ${present}`, sign }])
    ]
  })
)

const adjectives: ReadonlyArray<Headline> = [
  ["better-than-expected", 1],
  ["worse-than-expected", -1],
  ["stronger than feared", 1],
  ["'disappointing'", -1],
  ["“weak”", -1],
  ["robust", 1],
  ["dismal", -1],
  ["stellar", 1]
].flatMap(([words, sign]) =>
  subjects.map((subject) => ({ text: `${subject} reports ${words} results`, sign: sign as 1 | -1 }))
)

const losses: ReadonlyArray<Headline> = [
  ["Losses narrow at", 1],
  ["Losses widen at", -1],
  ["Falling costs help", 1],
  ["Costs rise at", -1],
  ["Unemployment drops, says", 1],
  ["Inflation rises, says", -1],
  ["Profits fall at", -1],
  ["Demand isn't growing at", -1]
].flatMap(([words, sign]) => subjects.map((subject) => ({ text: `${words} ${subject}`, sign: sign as 1 | -1 })))

/** What there is none of, too little of, or is over; and what only looks so. */
const absences: ReadonlyArray<Headline> = (
  [
    [-1, "losses"],
    [-1, "layoffs"],
    [-1, "defaults"],
    [-1, "delays"],
    [1, "profits"],
    [1, "growth"],
    [1, "improvements"],
    [1, "winners"]
  ] as const
).flatMap(([sign, noun]): ReadonlyArray<Headline> => {
  const turned = [
    `No ${noun} at Acme`,
    `Acme ends the year without ${noun}`,
    `Zero ${noun} at Acme this quarter`,
    `Few ${noun} in the sector`,
    `Hardly any ${noun} at Acme`,
    `Acme avoids ${noun}`,
    `Acme's ${noun} are over`,
    `The ${noun} end at Acme`
  ]
  const plain = [
    `A few ${noun} at Acme`,
    `No end to ${noun} at Acme`,
    `Acme's ${noun} aren't over`,
    `More ${noun} than expected at Acme`,
    `Acme can't shake off ${noun}`,
    `Never a dull day: ${noun} at Acme`
  ]
  return [
    ...turned.map((text) => ({ text, sign: -sign as 1 | -1 })),
    ...plain.map((text): Headline => ({ text, sign }))
  ]
})

/** Of no pattern: written by hand, each for a word or a turn that had been misread. */
const byHand: ReadonlyArray<Headline> = [
  ...[
    "No loss for Acme this quarter",
    "Not a single default at the lender",
    "Never a dull moment at Tesla",
    "Never a loss in ten years",
    "Nvidia shrugs off slump fears",
    "Recession fears fade",
    "Crisis averted at UBS",
    "Lawsuit against Apple dismissed",
    "Judge dismisses lawsuit against Tesla",
    "Netflix adds more subscribers than expected",
    "Less debt, more profit at Carnival",
    "Toyota posts smaller loss than feared",
    "IBM recovers from weak quarter",
    "Vaccine shortage eases",
    "Job losses slow",
    "Unprofitable no more: Uber"
  ].map((text): Headline => ({ text, sign: 1 })),
  ...[
    "Never a dull loss",
    "Never a profit in ten years",
    "No relief in sight for retailers",
    "Approval for Pfizer's drug denied",
    "Netflix adds fewer subscribers than expected",
    "More debt, less profit at Carnival",
    "Growth stalls in Europe",
    "Rally runs out of steam",
    "Chipmaker's rally is over",
    "Crisis is far from over",
    "Profitless year for Acme",
    "Little hope for creditors",
    "IBM never recovers from weak quarter",
    "Analysts no longer optimistic about Snap",
    "Barely any growth at the lender",
    "Hopes of recovery fade"
  ].map((text): Headline => ({ text, sign: -1 }))
]

const table: ReadonlyArray<Headline> = [...sentences, ...adjectives, ...losses, ...absences, ...byHand]

/** Ways of writing that change nothing of what is said. */
const variants: { readonly [name: string]: (text: string) => string } = {
  "curly apostrophes": (text) => text.replaceAll("'", "’"),
  "modifier apostrophes": (text) => text.replaceAll("'", "ʼ"),
  "no apostrophes in contractions": (text) => text.replaceAll(/n't\b/g, "nt"),
  "in quotes": (text) => `'${text}'`,
  "in curly quotes": (text) => `“${text}”`,
  "in guillemets": (text) => `«${text}»`,
  "the last word in quotes": (text) => text.replace(/(\S+)$/, "'$1'"),
  "the last word in curly quotes": (text) => text.replace(/(\S+)$/, "‘$1’"),
  "two hyphens and a comment": (text) => `${text}--again`,
  "an em dash and a comment": (text) => `${text}—analysts`,
  "an en dash between spaces": (text) => `Exclusive – ${text}`,
  "a colon before it": (text) => `Update: ${text}`,
  "a bar behind it": (text) => `${text} | Newswire`,
  "a full stop": (text) => `${text}.`,
  exclamation: (text) => `${text}!`,
  "an ellipsis": (text) => `${text}…`,
  capitals: (text) => text.toUpperCase(),
  "double spaces": (text) => text.replaceAll(" ", "  "),
  "no-break spaces": (text) => text.replaceAll(" ", "\u00a0"),
  brackets: (text) => `(${text})`,
  "hyphens taken out": (text) => text.replaceAll("-", " "),
  "non-breaking hyphens": (text) => text.replaceAll("-", "\u2011")
}

const rightOf = (headlines: ReadonlyArray<Headline>) => {
  const scores = Effect.runSync(SentimentLexicon.make.score(headlines.map(({ text }) => text)))
  const wrong = headlines.filter(({ sign }, at) => scores[at]!.label !== (sign > 0 ? "positive" : "negative"))
  return { share: 1 - wrong.length / headlines.length, wrong: wrong.map(({ sign, text }) => `${sign} ${text}`) }
}

describe("headlines whose sign their construction implies", () => {
  it("are at least 300, of both signs, all different", () => {
    expect(table.length).toBeGreaterThanOrEqual(300)
    expect(new Set(table.map(({ text }) => text)).size).toBe(table.length)
    for (const sign of [1, -1]) {
      expect(table.filter((one) => one.sign === sign).length).toBeGreaterThan(table.length / 3)
    }
  })

  it("are read as it implies, 95 of 100", () => {
    const { share, wrong } = rightOf(table)
    expect(share, wrong.slice(0, 40).join("\n")).toBeGreaterThanOrEqual(0.95)
  })

  for (const [name, spell] of Object.entries(variants)) {
    it(`are read so 90 of 100 with ${name}`, () => {
      const { share, wrong } = rightOf(table.map(({ sign, text }) => ({ sign, text: spell(text) })))
      expect(share, wrong.slice(0, 40).join("\n")).toBeGreaterThanOrEqual(0.9)
    })
  }
})
