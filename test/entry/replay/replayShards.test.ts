import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { anyRequests, csv, result, run, trace } from "../../support/replay/replaying.ts"
import { runs } from "../../support/runs.ts"

describe("the stack durable", () => {
  it.effect("bills Durable Objects by their calls, rows and alarms, and the snapshot that the writes call for", () =>
    Effect.gen(function* () {
      const file = trace("0,a,r", "10,a,r", "20,b,r", "30,a,w", "40,a,r", "50,b,d", "60,b,r")
      const { stacks } = yield* result({ trace: file, stack: "durable" })
      const { durableObject, usdPerMillionRequests, ...figures } = stacks[0]!
      // The first snapshot looks once for each of the two that there may be, and its alarm once into the outbox.
      const kv = { reads: 2, writes: 1, deletes: 0, lists: 1 }
      expect(figures).toMatchObject({
        kv,
        kvCalls: kv,
        refused: 0,
        hitRatio: { memory: 3 / 5, edge: 0, durable: 2 / 5, kv: 0 },
        staleReads: 0,
        lostWrites: 0,
        bound: { kvReads: 2, kvWrites: 1 }
      })
      // Two reads, a write, a delete; one alarm.
      expect(durableObject.requests).toBe(4 + 1)
      // Two changes; the flag that there are some, up and down; an alarm set for them, and the next.
      expect(durableObject.rowsWritten).toBe(2 + 2 + 2)
      expect(durableObject.rowsRead).toBeGreaterThanOrEqual(4)
      const operations = 2 * 0.5 + 2 * 5 + 5 * 0.15 + durableObject.rowsRead * 0.001 + 6
      const lines = new Map(stacks[0]!.usd.lines.map((line) => [line.item, line]))
      const seconds = lines.get("durableObjectDuration")!.count / 0.128
      expect(seconds).toBeGreaterThan(5 * 0.005)
      expect(seconds).toBeLessThan(5 * 2)
      const stored = lines.get("kvStored")!.usd + lines.get("durableObjectStored")!.usd
      expect(stored).toBeGreaterThan(0)
      expect(usdPerMillionRequests).toBeCloseTo((operations + seconds * 0.128 * 12.5 + stored * 1e6) / 7, 9)
    })
  )

  it.effect("finds in the rows what is there from the beginning, for which nothing is billed", () =>
    Effect.gen(function* () {
      const file = trace(...Array.from({ length: 20 }, (_, index) => `${index * 3600},k${index % 10},r`))
      const { stacks } = yield* result({ trace: file, stack: "durable", shards: "4" })
      expect(stacks[0]).toMatchObject({
        kv: { reads: 0, writes: 0, deletes: 0, lists: 0 },
        durableObject: { requests: 10, rowsRead: 10, rowsWritten: 0 },
        hitRatio: { memory: 1 / 2, durable: 1 / 2 }
      })
    })
  )

  it.effect("snapshots every shard each as many hours as there are shards, and large values by the segment", () =>
    Effect.gen(function* () {
      const writes = (size: number) => {
        const rows = Array.from({ length: 48 * 8 }, (_, index) => `${(index * 3600) / 8 + 60},k${index % 40},${size},w`)
        return (shards: string) =>
          Effect.map(
            result({ trace: csv("time,key,size,op", ["0,k0,1,r", ...rows]), stack: "durable", shards }),
            ({ stacks }) => stacks[0]!.kv.writes
          )
      }
      const small = writes(100)
      // One an hour at most, counted from the first change after the one before.
      expect(yield* small("1")).toBeLessThanOrEqual(48)
      expect(yield* small("1")).toBeGreaterThanOrEqual(44)
      expect(yield* small("3")).toBeGreaterThanOrEqual(44)
      expect(yield* small("3")).toBeLessThanOrEqual(48 + 3 + 48 / 4)
      expect(yield* writes(20_000_000)("1")).toBeGreaterThan(2 * 48)
    })
  )

  /** A sweep every five minutes of the day. */
  const sweeps = Math.min(runs(288), 288)

  it.effect("keeps the alerts in Durable Objects for about one KV operation an hour, on either plan", () =>
    Effect.gen(function* () {
      for (const plan of ["paid", "free"]) {
        const hours = Math.ceil(sweeps / 12)
        const given = { scenario: "alerts", stack: "durable", isolates: "6", plan, requests: `${sweeps}` }
        const { curves, result: replayed } = yield* run(given)
        const { durableObject, hitRatio, kv, lostWrites, refused, usdPerMillionRequests } = replayed.stacks[0]!
        // The first snapshot looks for the two that there may be; a look for outside writes every four hours.
        const { writes } = kv
        expect([hours - 1, hours]).toContain(writes)
        const lists = Math.ceil(hours / 4)
        expect(kv).toEqual({ reads: 2, writes, deletes: 0, lists })
        expect(curves[0]!.samples.at(-1)!.operations).toBe(2 + writes + lists)
        expect({ lostWrites, refused }).toEqual({ lostWrites: 0, refused: 0 })
        expect(durableObject.requests).toBe(sweeps * 2 + writes)
        // The states lie in one page: a row a sweep, and what the alarm and the dirty flag write.
        expect(durableObject.rowsWritten).toBeGreaterThanOrEqual(sweeps)
        expect(durableObject.rowsWritten).toBeLessThan(1.4 * sweeps)
        expect(usdPerMillionRequests).toBeLessThan(5)
        expect(hitRatio.memory + hitRatio.edge + hitRatio.durable + hitRatio.kv).toBeCloseTo(1)
        expect(hitRatio.durable).toBeCloseTo(28_800 / 31_680)
      }
    })
  )

  const pace = fc.constantFrom(1, 1800)

  it.effect("loses nothing whatever dies when, fails nothing, and answers every read from some tier", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          pace.chain(anyRequests),
          fc.constantFrom("1", "1200", "none"),
          fc.constantFrom("1", "600", "none"),
          fc.constantFrom("1", "2", "5"),
          fc.nat(9),
          async (rows, isolateLife, ttl, shards, seed) => {
            const given = {
              stack: "durable",
              isolates: "4",
              locations: "2",
              isolateLife,
              ttl,
              shards,
              seed: String(seed)
            }
            const notes: Array<string> = []
            const replayed = await Effect.runPromise(result({ ...given, trace: trace(...rows) }, notes))
            const { hitRatio, lostWrites, refused } = replayed.stacks[0]!
            expect({ lostWrites, refused, notes }).toEqual({ lostWrites: 0, refused: 0, notes: [] })
            const answered = hitRatio.memory + hitRatio.edge + hitRatio.durable
            expect(answered).toBeCloseTo(replayed.reads === 0 ? 0 : 1)
          }
        ),
        { numRuns: runs(30) }
      )
    )
  )
})
