import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as KvHistory from "../../../../src/layers/simulation/internal/kvHistory.ts"
import {
  documented,
  listVersion,
  readVersion,
  type Version
} from "../../../../src/services/simulation/model/KvConsistency.ts"

const late = { ...documented, tail: { probability: 1, max: 40_000 }, listLag: 60_000 }

const write = { answer: Option.none(), expiresAt: Number.POSITIVE_INFINITY, putAt: 0, seenBy: -1 }

const length = (version: Version | undefined): number => (version === undefined ? 0 : 1 + length(version.previous))

it.prop(
  "what was forgotten is what nobody could still see, and no more is kept than the horizon's writes and one",
  { gaps: fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 20 }), wait: fc.nat(70_000) },
  ({ gaps, wait }) => {
    const history = KvHistory.make(late, {})
    let whole = history.head("k")
    let now = 0
    const writtenAt: Array<number> = []
    for (const [i, gap] of gaps.entries()) {
      now += gap
      history.write("k", now, write)
      whole = { ...write, writtenAt: now, serial: i + 1, previous: whole }
      writtenAt.push(now)
    }
    const head = history.head("k")
    expect(length(head)).toBeLessThanOrEqual(writtenAt.filter((at) => at + 60_000 > now).length + 1)
    for (const location of [0, 1, 2]) {
      for (const find of [readVersion, listVersion]) {
        expect(find(head, late, 1, location, now + wait).serial).toBe(find(whole, late, 1, location, now + wait).serial)
      }
    }
  }
)

it("where every write is seen at once, nothing behind it is kept", () => {
  const history = KvHistory.make({ ...documented, tail: { probability: 0, max: 0 }, listLag: 0 }, {})
  history.write("k", 0, write)
  history.write("k", 0, write)
  expect(length(history.head("k"))).toBe(1)
})
