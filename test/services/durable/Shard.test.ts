import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import {
  later,
  nextStamp,
  type RowVersion,
  type ShardWrite,
  shardOf,
  stampsAhead,
  versionFor
} from "../../../src/services/durable/Shard.ts"
import { compareStamps, type Stamp } from "../../../src/services/store/model/Entry.ts"
import { make as makeStamper } from "../../../src/services/store/Stamper.ts"
import { runs } from "../../support/runs.ts"

type Write = Pick<ShardWrite, "stamp" | "firstUntil">

const often = { numRuns: runs(1000) }

const writer = fc.constantFrom("a", "b", "c")
/** Around the shard's clock of 100. */
const stamp: fc.Arbitrary<Stamp> = fc.record({
  wall: fc.integer({ min: 90, max: 110 }),
  counter: fc.integer({ min: 0, max: 2 }),
  writer
})
const pastStamp = stamp.map((s) => ({ ...s, wall: s.wall - 10 }))
const row: fc.Arbitrary<RowVersion> = fc
  .tuple(pastStamp, fc.array(stamp, { maxLength: 3 }))
  .map(([version, ahead]) => ({
    version,
    ahead: stampsAhead(ahead, version)
  }))

interface Row extends RowVersion {
  readonly by: Stamp
}

const apply = (row: Row | undefined, write: Write, now: number): Row | undefined => {
  const next = versionFor(write, row, now)
  return next === undefined ? row : { ...next, by: write.stamp }
}

const applyAll = (writes: ReadonlyArray<Write>, now: number, start?: Row): Row | undefined =>
  writes.reduce<Row | undefined>((row, write) => apply(row, write, now), start)

describe("versionFor", () => {
  it("lets a first try in time win over whatever is there, above it and above the floor", () => {
    fc.assert(
      fc.property(stamp, fc.option(row, { nil: undefined }), pastStamp, (stamp, row, floor) => {
        const next = versionFor({ stamp, firstUntil: 100 }, row, 100, floor)!
        expect(next).toBeDefined()
        expect(compareStamps(next.version, row?.version ?? floor)).toBeGreaterThan(0)
        expect(compareStamps(next.version, floor)).toBeGreaterThan(0)
      }),
      often
    )
  })

  it("gives a first try its own stamp where nothing higher stands", () => {
    fc.assert(
      fc.property(pastStamp, fc.option(row, { nil: undefined }), (stamp, row) => {
        fc.pre(row === undefined || compareStamps(stamp, row.version) > 0)
        expect(versionFor({ stamp, firstUntil: 100 }, row, 100)!.version).toEqual(stamp)
      }),
      often
    )
  })

  it("takes a first try that comes too late for an outside write", () => {
    fc.assert(
      fc.property(stamp, fc.option(row, { nil: undefined }), (stamp, row) => {
        expect(versionFor({ stamp, firstUntil: 99 }, row, 100)).toEqual(versionFor({ stamp }, row, 100))
      }),
      often
    )
  })

  it("never lowers a row's version, nor gives one twice", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(stamp, fc.boolean(), fc.integer({ min: 0, max: 3 })), { maxLength: 12 }),
        (steps) => {
          let now = 95
          let row: RowVersion | undefined
          for (const [stamp, first, wait] of steps) {
            now += wait
            const next = versionFor(first ? { stamp, firstUntil: now } : { stamp }, row, now)
            if (next === undefined) continue
            if (row !== undefined) expect(compareStamps(next.version, row.version)).toBeGreaterThan(0)
            expect(next.version.wall).toBeLessThanOrEqual(now)
            row = next
          }
        }
      ),
      often
    )
  })

  it("makes one final state of outside writes, whatever their order and however often each comes", () => {
    const deliveries = fc
      .uniqueArray(pastStamp, { minLength: 1, maxLength: 6, comparator: (a, b) => compareStamps(a, b) === 0 })
      .chain((stamps) =>
        fc.tuple(
          fc.constant(stamps),
          fc
            .array(fc.constantFrom(...stamps), { maxLength: 8 })
            .chain((again) => fc.shuffledSubarray([...stamps, ...again], { minLength: stamps.length + again.length }))
        )
      )
    fc.assert(
      fc.property(deliveries, fc.option(row, { nil: undefined }), ([stamps, delivered], start) => {
        const begin = start && { ...start, ahead: [], by: start.version }
        const outcome = (order: ReadonlyArray<Stamp>) =>
          applyAll(
            order.map((stamp) => ({ stamp })),
            100,
            begin
          )
        expect(outcome(delivered)).toEqual(outcome(stamps))
        expect(outcome(delivered)!.version).toEqual(
          stamps.reduce(later, begin?.version ?? { wall: -1, counter: 0, writer: "" })
        )
      }),
      often
    )
  })

  it("does nothing on a resend of any write that was ever applied, however the clocks differ", () => {
    const step = fc.record({
      writer,
      skew: fc.integer({ min: -20, max: 20 }),
      wait: fc.integer({ min: 0, max: 6 }),
      first: fc.boolean(),
      invalidated: fc.boolean(),
      resend: fc.nat({ max: 30 })
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
        const stampers = new Map(["a", "b", "c"].map((name) => [name, makeStamper(() => name)]))
        const applied: Array<Stamp> = []
        let now = 100
        let row: RowVersion | undefined
        let floor: Stamp | undefined
        for (const { first, invalidated, resend, skew, wait, writer } of steps) {
          now += wait
          const stamp = stampers.get(writer)!.next(now + skew)
          if (invalidated) {
            floor = later(later(stamp, floor ?? stamp), nextStamp(row?.version ?? stamp, writer))
            continue
          }
          const next = versionFor(first ? { stamp, firstUntil: now } : { stamp }, row, now, floor)
          if (next !== undefined) {
            row = next
            applied.push(stamp)
          }
          const again = applied[resend % Math.max(1, applied.length)]
          if (again !== undefined) expect(versionFor({ stamp: again }, row, now, floor)).toBeUndefined()
        }
      }),
      often
    )
  })

  it("leaves an outside write that is stamped before an invalidation below it, though both are ahead", () => {
    fc.assert(
      fc.property(stamp, fc.option(row, { nil: undefined }), stamp, (stamp, row, floor) => {
        const next = versionFor({ stamp }, row, 100, floor)
        if (compareStamps(stamp, floor) <= 0) expect(next?.version ?? stamp).toEqual(stamp)
        else if (next !== undefined && stamp.wall > 100) expect(compareStamps(next.version, floor)).toBeGreaterThan(0)
      }),
      often
    )
  })

  it("lets a stamp ahead of the clock hold back nothing that is stamped after it arrived", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.option(row, { nil: undefined }), (lead, row) => {
        const held = versionFor({ stamp: { wall: 100 + lead, counter: 0, writer: "ahead" } }, row, 100)!
        expect(held.version.wall).toBe(100)
        expect(versionFor({ stamp: { wall: 101, counter: 0, writer: "d" } }, held, 101)).toBeDefined()
      }),
      often
    )
  })

  it("remembers of each writer one stamp at most, and none that the version has passed", () => {
    fc.assert(
      fc.property(fc.array(stamp, { maxLength: 10 }), pastStamp, (stamps, version) => {
        const kept = stampsAhead(stamps, version)
        expect(new Set(kept.map(({ writer }) => writer)).size).toBe(kept.length)
        for (const stamp of stamps) {
          const known = kept.some((other) => other.writer === stamp.writer && compareStamps(stamp, other) <= 0)
          expect(known || compareStamps(stamp, version) <= 0).toBe(true)
        }
        for (const stamp of kept) expect(compareStamps(stamp, version)).toBeGreaterThan(0)
      }),
      often
    )
  })

  it("does not take a raised version for the stamp that it looks like", () => {
    const raised = versionFor(
      { stamp: { wall: 5, counter: 0, writer: "a" }, firstUntil: 100 },
      { version: { wall: 50, counter: 0, writer: "b" }, ahead: [] },
      100
    )!
    expect(raised.version).toEqual({ wall: 50, counter: 1, writer: "a" })
    expect(versionFor({ stamp: raised.version, firstUntil: 100 }, raised, 100)!.version).toEqual(
      nextStamp(raised.version, "a")
    )
  })
})

describe("shardOf", () => {
  it("is the published FNV-1a for ASCII", () => {
    // Vectors of the draft, 32 bits: "", "a", "foobar".
    expect(["", "a", "foobar"].map((id) => shardOf(id, 2 ** 32))).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968])
  })

  it("names one of the shards, the same one every time, for any text", () => {
    fc.assert(
      fc.property(fc.fullUnicodeString(), fc.integer({ min: 1, max: 1000 }), (id, count) => {
        const shard = shardOf(id, count)
        expect(Number.isInteger(shard) && shard >= 0 && shard < count).toBe(true)
        expect(shardOf(id, count)).toBe(shard)
      }),
      often
    )
  })

  it.each([2, 3, 4, 7, 8, 16, 64])("spreads similar ids evenly over %d shards", (count) => {
    const ids = 1000 * count
    const kept = new Array<number>(count).fill(0)
    for (let i = 0; i < ids; i++) kept[shardOf(`prices/SYM${i}`, count)]! += 1
    // Five standard deviations of a fair draw.
    for (const n of kept) expect(Math.abs(n - 1000)).toBeLessThan(5 * Math.sqrt(1000))
  })
})
