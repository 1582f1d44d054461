import { describe, expect, it } from "vitest"
import { compile } from "../../../src/services/aliasing/model/Alias.ts"
import { AliasError, type AliasRule } from "../../../src/services/store/model/AliasRule.ts"

/** Saturday, 21 November 2026, 03:00 UTC: still the 20th in New York. */
const now = Date.UTC(2026, 10, 21, 3)
const newYork = "America/New_York"

const table = (title: string, rules: ReadonlyArray<AliasRule>, keys: Readonly<Record<string, string>>) =>
  it(title, () => {
    const { canonical } = compile(rules)
    for (const [key, result] of Object.entries(keys)) expect([key, canonical(key, now)]).toStrictEqual([key, result])
  })

describe("an alias rule", () => {
  table(
    "writes one segment in one case, and leaves letters alone that a language tells apart",
    [{ rule: "case", to: "upper", segment: 1 }],
    {
      "quotes/aapl": "quotes/AAPL",
      "Quotes/Aapl?range=1d": "Quotes/AAPL?range=1d",
      "quotes/straße": "quotes/STRAßE",
      quotes: "quotes",
      "quotes/a/b": "quotes/A/b"
    }
  )

  table("puts parameters in order, those of one name as they came", [{ rule: "order" }], {
    "AAPL?range=1d&interval=5m": "AAPL?interval=5m&range=1d",
    "AAPL?b=2&a=2&b=1&a=1": "AAPL?a=2&a=1&b=2&b=1",
    "AAPL?": "AAPL?",
    "AAPL?b&a": "AAPL?a&b",
    "AAPL?a=1?b": "AAPL?a=1?b"
  })

  table(
    "leaves a default out where the parameter is there once",
    [
      { rule: "default", parameter: "interval", value: "5m" },
      { rule: "case", to: "lower", parameter: "interval" }
    ],
    {
      "AAPL?interval=5m": "AAPL",
      "AAPL?interval=5M&range=1d": "AAPL?range=1d",
      "AAPL?interval=5m&interval=1d": "AAPL?interval=5m&interval=1d",
      "AAPL?interval": "AAPL?interval",
      "AAPL?intervals=5m": "AAPL?intervals=5m",
      AAPL: "AAPL"
    }
  )

  table(
    "reads relative dates on the calendar of its zone",
    [
      { rule: "date", zone: newYork, segment: 1 },
      { rule: "date", zone: "UTC", parameter: "day" }
    ],
    {
      "reports/today": "reports/2026-11-20",
      "reports/yesterday": "reports/2026-11-19",
      "reports/tomorrow?day=today": "reports/2026-11-21?day=2026-11-21",
      "reports/today-30": "reports/2026-10-21",
      "reports/today+1": "reports/2026-11-21",
      "reports/todays": "reports/todays",
      "reports/Today": "reports/Today",
      "today/x": "today/x"
    }
  )

  table(
    "knows synonyms in any case that a case rule allows",
    [
      { rule: "synonyms", words: { google: "GOOGL", alphabet: "GOOGL" } },
      { rule: "case", to: "upper" }
    ],
    { google: "GOOGL", Alphabet: "GOOGL", googl: "GOOGL", "x/google": "X/google" }
  )

  table(
    "gives a path its other shape, and then applies the rules of where things stand now",
    [
      { rule: "pattern", from: "quote/{symbol}/latest", to: "quotes/{symbol}" },
      { rule: "pattern", from: "{symbol}/price/now", to: "quotes/{symbol}" },
      { rule: "case", to: "upper", segment: 1 }
    ],
    {
      "quote/aapl/latest": "quotes/AAPL",
      "msft/price/now?range=1d": "quotes/MSFT?range=1d",
      "quote//latest": "quote//latest",
      "quote/aapl/oldest": "quote/AAPL/oldest"
    }
  )

  it("never makes what is no key, and leaves alone what is none", () => {
    const long = compile([{ rule: "synonyms", words: { x: "y".repeat(500) } }])
    expect(long.canonical(`x/${"z".repeat(20)}`, now)).toBe(`x/${"z".repeat(20)}`)
    expect(long.canonical("x", now)).toBe("y".repeat(500))
    const nothing = compile([{ rule: "default", parameter: "a", value: "1" }])
    for (const key of ["?a=1", ".?a=1", "..?a=1", "", "\ud800?a=1", `?a=1&b=${"c".repeat(600)}`]) {
      expect(nothing.canonical(key, now)).toBe(key)
    }
  })

  it("follows the day across midnight and daylight saving", () => {
    const { canonical } = compile([{ rule: "date", zone: newYork }])
    expect(canonical("today", Date.UTC(2026, 10, 1, 3, 59, 59))).toBe("2026-10-31")
    expect(canonical("today", Date.UTC(2026, 10, 1, 4))).toBe("2026-11-01")
    expect(canonical("today", Date.UTC(2026, 10, 2, 4, 59, 59))).toBe("2026-11-01")
    expect(canonical("today", Date.UTC(2026, 10, 2, 5))).toBe("2026-11-02")
    expect(canonical("today", Date.UTC(2026, 10, 1, 3, 59, 59))).toBe("2026-10-31")
  })

  it("tells which rules changed something", () => {
    const applied: Array<number> = []
    const { canonical } = compile([{ rule: "order" }, { rule: "case", to: "upper" }])
    for (const key of ["AAPL?a=1&b=2", "aapl?b=1&a=2", "aapl"]) canonical(key, now, (rule) => applied.push(rule))
    expect(applied).toStrictEqual([1, 0, 1])
  })
})

describe("rules that collide or mean nothing are refused", () => {
  const cases: Record<string, readonly [AliasError["reason"], ReadonlyArray<AliasRule>]> = {
    "two cases at one place": [
      "Collision",
      [
        { rule: "case", to: "upper" },
        { rule: "case", to: "lower", segment: 0 }
      ]
    ],
    "two dates at one place": [
      "Collision",
      [
        { rule: "date", zone: "UTC", parameter: "day" },
        { rule: "date", zone: newYork, parameter: "day" }
      ]
    ],
    "a synonym with two meanings": [
      "Collision",
      [
        { rule: "synonyms", words: { google: "GOOGL" } },
        { rule: "synonyms", words: { google: "GOOG" } }
      ]
    ],
    "a synonym of a synonym": ["Collision", [{ rule: "synonyms", words: { google: "alphabet", alphabet: "GOOGL" } }]],
    "synonyms of each other": ["Collision", [{ rule: "synonyms", words: { a: "b", b: "a" } }]],
    "a synonym that the case undoes": [
      "Collision",
      [
        { rule: "synonyms", words: { GOOGLE: "GOOGL" } },
        { rule: "case", to: "lower" }
      ]
    ],
    "a synonym that the case makes the same": [
      "Collision",
      [
        { rule: "synonyms", words: { googl: "GOOGL" } },
        { rule: "case", to: "upper" }
      ]
    ],
    "a synonym for a date": [
      "Collision",
      [
        { rule: "synonyms", words: { "2026-11-21": "now" } },
        { rule: "date", zone: "UTC" }
      ]
    ],
    "a synonym for a word of the date rule": [
      "Collision",
      [
        { rule: "synonyms", words: { today: "now" } },
        { rule: "date", zone: "UTC" }
      ]
    ],
    "two defaults": [
      "Collision",
      [
        { rule: "default", parameter: "range", value: "1d" },
        { rule: "default", parameter: "range", value: "5d" }
      ]
    ],
    "a default that is another date every day": [
      "Collision",
      [
        { rule: "default", parameter: "day", value: "now" },
        { rule: "synonyms", parameter: "day", words: { now: "today" } },
        { rule: "date", zone: "UTC", parameter: "day" }
      ]
    ],
    "the same order twice": ["Collision", [{ rule: "order" }, { rule: "order" }]],
    "a pattern that feeds itself": ["Collision", [{ rule: "pattern", from: "{a}/{b}", to: "{b}/{a}" }]],
    "a pattern that feeds another": [
      "Collision",
      [
        { rule: "pattern", from: "a/{x}", to: "b/{x}/c" },
        { rule: "pattern", from: "b/{y}/{z}", to: "d/{y}/{z}/e" }
      ]
    ],
    "patterns for one path": [
      "Collision",
      [
        { rule: "pattern", from: "quote/{symbol}", to: "quotes/of/{symbol}" },
        { rule: "pattern", from: "{kind}/AAPL", to: "{kind}/of/apple/inc" }
      ]
    ],
    "patterns that make one key of two": [
      "Collision",
      [
        { rule: "pattern", from: "a/{x}", to: "q/{x}/y" },
        { rule: "pattern", from: "b/{x}", to: "q/z/{x}" }
      ]
    ],
    "a pattern that the case undoes": [
      "Collision",
      [
        { rule: "pattern", from: "q/{x}/y", to: "Quotes/{x}" },
        { rule: "case", to: "lower" }
      ]
    ],
    "a variable that leaves its rules behind": [
      "Collision",
      [
        { rule: "pattern", from: "{x}/q/y", to: "q/{x}" },
        { rule: "case", to: "lower" }
      ]
    ],
    "a variable that is lost": ["Malformed", [{ rule: "pattern", from: "a/{x}/{y}", to: "b/{x}" }]],
    "a variable from nowhere": ["Malformed", [{ rule: "pattern", from: "a/{x}", to: "b/{y}/c" }]],
    "a variable twice": ["Malformed", [{ rule: "pattern", from: "a/{x}/{x}", to: "b/{x}" }]],
    "half a variable": ["Malformed", [{ rule: "pattern", from: "a/{x", to: "b/{x}" }]],
    "a part of a segment": ["Malformed", [{ rule: "pattern", from: "a-{x}", to: "b/{x}" }]],
    "a pattern with parameters": ["Malformed", [{ rule: "pattern", from: "a/{x}?b=1", to: "b/{x}" }]],
    "a synonym of nothing": ["Malformed", [{ rule: "synonyms", words: { "": "GOOGL" } }]],
    "a synonym that ends its segment": ["Malformed", [{ rule: "synonyms", words: { google: "a/b" } }]],
    "a default that begins another parameter": ["Malformed", [{ rule: "default", parameter: "a", value: "1&b=2" }]],
    "a parameter that is none": ["Malformed", [{ rule: "default", parameter: "a=b", value: "1" }]],
    "two places": ["Malformed", [{ rule: "case", to: "upper", segment: 0, parameter: "a" }]],
    "a segment that is none": ["Malformed", [{ rule: "case", to: "upper", segment: -1 }]],
    "a zone that is none": ["Malformed", [{ rule: "date", zone: "Mars/Olympus" }]],
    "more rules than anybody needs": [
      "Malformed",
      Array.from({ length: 65 }, (_, at): AliasRule => ({ rule: "default", parameter: `p${at}`, value: "1" }))
    ]
  }
  for (const [title, [reason, rules]] of Object.entries(cases)) {
    it(title, () => {
      let refused: unknown
      try {
        compile(rules)
      } catch (error) {
        refused = error
      }
      expect(refused).toBeInstanceOf(AliasError)
      expect((refused as AliasError).reason).toBe(reason)
    })
  }
})
