import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type AdviseOptions, advise, textOf } from "../../../src/entry/cli/advise.ts"
import { familiesOf } from "../../../src/services/replay/model/KeyFamilies.ts"
import * as PolicyCosts from "../../../src/services/replay/model/PolicyCosts.ts"
import { runs, seedOr } from "../../support/runs.ts"

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "larder-advise-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const options: AdviseOptions = { staleness: 60, durability: "stored", isolates: 1 }

const logOf = (name: string, rows: ReadonlyArray<string>): string => {
  const file = join(folder, name)
  writeFileSync(file, ["time,key,size,op", ...rows].join("\n"))
  return file
}

const run = (file: string, given: Partial<AdviseOptions> = {}) =>
  Effect.runPromise(advise(file, { ...options, ...given }))

describe("larder advise", () => {
  it("finds the families, and joins writes only where they may wait", async () => {
    const rows = Array.from({ length: 20_000 }, (_, at) =>
      at % 2 === 0 ? `${at},user:${at % 10},100,r` : `${at},hits:${at % 3},10,w`
    )
    const file = logOf("families.csv", rows)
    const stored = await run(file)
    expect(stored.families.map(({ prefix }) => prefix).sort()).toEqual(["hits:", "user:"])
    const buffered = await run(file, { durability: "buffered" })
    expect(buffered.usdMonth).toBeLessThanOrEqual(stored.usdMonth)
    expect(stored.families.every(({ policy }) => policy !== "behind")).toBe(true)
    expect(buffered.limitsRemoved.concat(stored.limitsRemoved).join()).toContain("writes a day")
    expect(
      Math.max(
        ...textOf(stored)
          .split("\n")
          .map(({ length }) => length)
      )
    ).toBeLessThanOrEqual(100)
    expect(stored.code).toContain("withLarder(worker")
  })

  it("predicts the second half of a steady log within a tenth", async () => {
    const rows = Array.from({ length: 40_000 }, (_, at) => `${at / 10},page:${(at * 7919) % 211},500,r`)
    const { check } = await run(logOf("steady.csv", rows))
    expect(check.error).toBeLessThan(0.1)
    expect(check.replayedSavedUsd).toBeGreaterThan(0)
  })

  it("never advises what costs more than what is there", () => {
    const counts = fc.record({
      reads: fc.nat(1e6),
      writes: fc.nat(1e5),
      deletes: fc.nat(1000),
      keys: fc.integer({ min: 1, max: 20_000 }),
      bytes: fc.nat(1e9),
      peakWrites: fc.nat(3),
      longestKey: fc.nat(512)
    })
    const all: ReadonlyArray<PolicyCosts.PolicyName> = ["memory", "behind", "durable", "instant"]
    fc.assert(
      fc.property(
        fc.array(counts, { minLength: 1 }),
        fc.double({ min: 1e-4, max: 2, noNaN: true }),
        (drawn, months) => {
          const families = drawn.map((family) => ({ ...family, misses: family.reads >> 1, joined: family.writes >> 1 }))
          const chosen = PolicyCosts.cheapest(all, families, months)
          const sum = (policies: ReadonlyArray<PolicyCosts.PolicyName>) =>
            families.reduce((total, family, at) => total + PolicyCosts.usdOf(policies[at]!, family, months)!, 0)
          expect(sum(chosen)).toBeLessThanOrEqual(sum(families.map(() => "plain" as const)))
        }
      ),
      { numRuns: runs(200), seed: seedOr(1) }
    )
  })

  it("keeps what is seldom asked for with all others", () => {
    const keys = ["a:1", "a:2", "b:1", "/img/x", "plain"]
    const { familyOf, prefixes } = familiesOf(keys, Uint32Array.from([500, 500, 1, 500, 1]))
    expect(prefixes).toEqual(["a:", "/img/", ""])
    expect([...familyOf]).toEqual([0, 0, 2, 1, 2])
  })
})
