import * as Duration from "effect/Duration"
import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { afterRead, type Beat, goesOn, longestGap } from "../../../src/services/migration/ModeHeartbeat.ts"

const cron = 5 * 60_000
const gap = Duration.toMillis(longestGap)

/** The beat after reads at these moments. */
const read = (moments: ReadonlyArray<number>): Beat | undefined =>
  moments.reduce<Beat | undefined>((beat, at) => afterRead(beat, at), undefined)

describe("the heartbeat of the durable mode's crons", () => {
  it("goes on after two reads of the record, a cron apart", () => {
    expect(goesOn(undefined, 0)).toBe(false)
    expect(goesOn(read([0]), cron)).toBe(false)
    expect(goesOn(read([0, cron]), 2 * cron)).toBe(true)
    expect(goesOn(read([0, 3 * cron]), 4 * cron)).toBe(false)
  })

  it("ends where a cron of the other mode may have been", () => {
    fc.assert(
      fc.property(fc.nat(10 * cron), (later) => {
        expect(goesOn(read([0, cron]), cron + later)).toBe(later <= gap)
      })
    )
    expect(gap).toBeGreaterThan(cron)
    expect(gap).toBeLessThan(2 * cron)
  })

  it("does not trust a clock that went back far", () => {
    expect(goesOn(read([10 * cron, 11 * cron]), 0)).toBe(false)
  })
})
