import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { advanced, begun, isDue, type Mode, type ModeRecord } from "../../../src/services/migration/RecordedMode.ts"

const mode = fc.constantFrom<Mode>("kv", "durable")

const part = fc.record({
  cursor: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  settled: fc.boolean(),
  from: fc.constantFrom("durable" as const, "snapshot" as const),
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
    for (const { cursor, from, inForce, pause, settled } of crons) {
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
      record = advanced(begun(record, inForce), { cursor, settled, from: inForce === "kv" ? from : "kv" }, now)
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
  expect(advanced(turned, { cursor: undefined, settled: true, from: "kv" }, 5)).toStrictEqual({
    mode: "durable",
    again: 600_005
  })
})

it("what could not be settled in one part of a pass is not forgotten in the next", () => {
  const first = advanced({ mode: "kv", to: "kv" }, { cursor: "x", settled: false, from: "snapshot" }, 0)
  const second = advanced(first, { cursor: "y", settled: true, from: "snapshot" }, 0)
  expect(advanced(second, { cursor: undefined, settled: true, from: "snapshot" }, 0)).toStrictEqual({
    mode: "kv",
    again: 600_000
  })
  expect(advanced({ mode: "kv", to: "kv" }, { cursor: undefined, settled: true, from: "snapshot" }, 0)).toStrictEqual({
    mode: "kv"
  })
})

it("that the objects themselves handed over is remembered until a pass to them has ended as it should", () => {
  const part = { cursor: "x", settled: true, from: "durable" } as const
  const first = advanced(begun({ mode: "durable" }, "kv"), part, 0)
  expect(first).toMatchObject({ objects: true })
  const through = advanced(begun(first, "kv"), { cursor: undefined, settled: true, from: "durable" }, 0)
  expect(through).toStrictEqual({ mode: "kv", again: 600_000, objects: true })
  expect(advanced(begun(through, "kv"), { ...part, cursor: undefined }, 0)).toStrictEqual({ mode: "kv", objects: true })
  const turned = begun(begun(through, "durable"), "kv")
  expect(turned).toStrictEqual({ mode: "durable", to: "kv", objects: true })
  const back = begun(through, "durable")
  const flawed = advanced(back, { cursor: undefined, settled: false, from: "kv" }, 0)
  expect(flawed).toStrictEqual({ mode: "durable", again: 600_000, objects: true })
  expect(advanced(begun(flawed, "durable"), { cursor: undefined, settled: true, from: "kv" }, 0)).toStrictEqual({
    mode: "durable"
  })
})
