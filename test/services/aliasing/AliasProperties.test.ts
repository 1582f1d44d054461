import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { compile } from "../../../src/services/aliasing/model/Alias.ts"
import type { AliasRule } from "../../../src/services/store/model/AliasRule.ts"
import { runs } from "../../support/runs.ts"

const now = Date.UTC(2026, 10, 21, 3)

const words = ["google", "GOOGL", "Google", "alphabet", "ALPHABET", "today", "TODAY", "2026-11-21", "a", "A", "q", "Q"]

const place = fc.oneof(fc.record({ segment: fc.nat({ max: 2 }) }), fc.constant({ parameter: "x" }), fc.constant({}))

const template = (variables: ReadonlyArray<string>) =>
  fc
    .array(fc.constantFrom("q", "Q", "a", "google"), { minLength: 0, maxLength: 2 })
    .chain((literals) =>
      fc.shuffledSubarray([...literals, ...variables], { minLength: literals.length + variables.length })
    )
    .filter((parts) => parts.length > 0)
    .map((parts) => parts.join("/"))

const rule: fc.Arbitrary<AliasRule> = fc.oneof(
  fc
    .record({ rule: fc.constant("case" as const), to: fc.constantFrom("upper" as const, "lower" as const) })
    .chain((it) => place.map((at) => ({ ...it, ...at }))),
  place.map((at) => ({ rule: "date" as const, zone: "UTC", ...at })),
  fc
    .tuple(place, fc.dictionary(fc.constantFrom(...words), fc.constantFrom(...words), { minKeys: 1, maxKeys: 2 }))
    .map(([at, words]) => ({ rule: "synonyms" as const, words: { ...words }, ...at })),
  fc.record({
    rule: fc.constant("default" as const),
    parameter: fc.constant("x"),
    value: fc.constantFrom(...words)
  }),
  fc.constant({ rule: "order" as const }),
  fc
    .constantFrom([], ["{v}"], ["{v}", "{w}"])
    .chain((variables) => fc.record({ from: template(variables), to: template(variables) }))
    .map((it) => ({ rule: "pattern" as const, ...it }))
)

/** Rules that do not collide: of some at random, each that the ones before it let pass. */
const legalRules = fc.array(rule, { minLength: 1, maxLength: 8 }).map((some) => {
  let kept: ReadonlyArray<AliasRule> = []
  for (const one of some) {
    try {
      compile([...kept, one])
      kept = [...kept, one]
    } catch {
      // refused
    }
  }
  return kept
})

const key = fc
  .tuple(
    fc.array(fc.constantFrom(...words, ""), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom("x", "y", "z"), fc.constantFrom(...words, "", undefined)), { maxLength: 3 })
  )
  .map(([path, parameters]) => {
    const query = parameters.map(([name, value]) => (value === undefined ? name : `${name}=${value}`))
    return path.join("/") + (query.length === 0 ? "" : `?${query.join("&")}`)
  })

describe("canonical keys", () => {
  const property = (title: string, body: (rules: ReadonlyArray<AliasRule>, key: string) => void) =>
    it(title, () => {
      fc.assert(
        fc.property(legalRules, fc.array(key, { minLength: 1, maxLength: 20 }), (rules, keys) => {
          for (const key of keys) body(rules, key)
        }),
        { numRuns: runs(100), seed: 1 }
      )
    })

  property("are their own canonical key", (rules, key) => {
    const { canonical } = compile(rules)
    const once = canonical(key, now)
    expect(canonical(once, now)).toBe(once)
  })

  property("do not depend on the order of the rules", (rules, key) => {
    expect(compile([...rules].reverse()).canonical(key, now)).toBe(compile(rules).canonical(key, now))
  })

  property("are the same whichever rule is applied first", (rules, key) => {
    const { canonical } = compile(rules)
    for (const rule of rules) {
      const step = compile([rule]).canonical(key, now)
      expect([key, rule, canonical(step, now)]).toStrictEqual([key, rule, canonical(key, now)])
    }
  })

  it("join exactly the keys that steps of single rules connect", () => {
    const queries = ["", "?y=q", ...words.flatMap((x) => [`?x=${x}`, `?x=${x}&y=q`, `?y=q&x=${x}`])]
    const paths = words.flatMap((word) => [word, `q/${word}`, `Q/${word}`, `${word}/a`, `${word}/A`])
    const universe = paths.flatMap((path) => queries.map((query) => path + query))
    fc.assert(
      fc.property(legalRules, (rules) => {
        const steps = rules.map((rule) => compile([rule]).canonical)
        const root = new Map<string, string>()
        const find = (key: string): string => {
          const up = root.get(key) ?? key
          return up === key ? key : find(up)
        }
        const pending = [...universe]
        const seen = new Set(pending)
        for (let at = 0; at < pending.length; at++) {
          for (const step of steps) {
            const next = step(pending[at]!, now)
            if (!seen.has(next)) pending.push(next)
            seen.add(next)
            root.set(find(pending[at]!), find(next))
          }
        }
        const { canonical } = compile(rules)
        const classOf = new Map<string, string>()
        for (const key of pending) {
          const target = canonical(key, now)
          const known = classOf.get(target)
          if (known !== undefined) expect([key, known, find(key)]).toStrictEqual([key, known, find(known)])
          classOf.set(target, key)
        }
      }),
      { numRuns: runs(20), seed: 1 }
    )
  })
})
