import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { advanced, begun, isDue, type Mode, type ModeRecord } from "../../src/services/RecordedMode.ts"

const mode = fc.constantFrom<Mode>("kv", "durable")

const part = fc.record({
  cursor: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  settled: fc.boolean(),
  inForce: mode,
  /** Minutes until the next cron. */
  pause: fc.nat(20)
})

it.prop(
  "whatever crons see, a mode is at rest only after two whole passes to it in a row, ten minutes apart, the last settled",
  [mode, fc.array(part, { maxLength: 30 })],
  ([first, crons]) => {
    let record: ModeRecord = { mode: first }
    let now = 0
    /** Whole passes to the mode in force since it was last seen to change, and when the last one ended. */
    let passes: Array<{ readonly at: number; readonly settled: boolean }> = []
    let flawed = false
    let last: Mode | undefined
    for (const { cursor, inForce, pause, settled } of crons) {
      now += pause * 60_000
      if (inForce !== last) {
        passes = []
        flawed = false
      }
      const began = record
      if (!isDue(record, inForce, now)) {
        expect(record.mode).toBe(inForce)
        expect(record.to).toBeUndefined()
        last = inForce
        continue
      }
      last = inForce
      record = advanced(begun(record, inForce), { cursor, settled }, now)
      flawed ||= !settled
      if (cursor !== undefined) {
        expect(record).toMatchObject({ to: inForce, cursor })
        continue
      }
      passes.push({ at: now, settled: !flawed })
      flawed = false
      expect(record.mode).toBe(inForce)
      expect(record.to).toBeUndefined()
      if (record.again === undefined) {
        expect(passes.length).toBeGreaterThanOrEqual(2)
        expect(passes.at(-1)!.settled).toBe(true)
        if (began.again !== undefined) expect(now).toBeGreaterThanOrEqual(began.again)
      } else expect(record.again).toBe(now + 600_000)
    }
  }
)

it("a pass under way the other way is turned round, and comes to an end like a first one", () => {
  const turned = begun({ mode: "durable", to: "kv", cursor: "x", unsettled: true }, "durable")
  expect(turned).toStrictEqual({ mode: "kv", to: "durable" })
  expect(advanced(turned, { cursor: undefined, settled: true }, 5)).toStrictEqual({ mode: "durable", again: 600_005 })
})

it("what could not be settled in one part of a pass is not forgotten in the next", () => {
  const first = advanced({ mode: "kv", to: "kv" }, { cursor: "x", settled: false }, 0)
  const second = advanced(first, { cursor: "y", settled: true }, 0)
  expect(advanced(second, { cursor: undefined, settled: true }, 0)).toStrictEqual({ mode: "kv", again: 600_000 })
  expect(advanced({ mode: "kv", to: "kv" }, { cursor: undefined, settled: true }, 0)).toStrictEqual({ mode: "kv" })
})
