import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { reportOf } from "../../../src/entry/replay/replayReport.ts"
import { rowsOf } from "../../../src/entry/replay/replayTable.ts"
import { anyRequests, csv, result, run, stackOf, trace } from "../../support/replay/replaying.ts"
import { runs } from "../../support/runs.ts"

describe("replay", () => {
  it.effect("bills what a small trace must cost, stack by stack", () =>
    Effect.gen(function* () {
      const file = trace("0,a,r", "10,a,r", "20,b,r", "30,a,w", "40,a,r", "50,b,d", "60,b,r")
      const replayed = yield* result({ trace: file, stack: "direct,memory,edge" })
      expect(replayed).toMatchObject({ workload: "t", requests: 7, reads: 5, writes: 1, seed: 1 })
      expect(replayed.stacks.map(({ stack }) => stack)).toEqual(["direct", "memory", "edge"])
      const bound = { kvReads: 2, kvWrites: 1 }
      expect(stackOf(replayed, "direct")).toMatchObject({
        kv: { reads: 5, writes: 1, deletes: 1, lists: 0 },
        hitRatio: { memory: 0, edge: 0, durable: 0, kv: 1 },
        // and what the stored bytes cost meanwhile
        usdPerMillionRequests: expect.closeTo((5 * 0.5 + 2 * 5) / 7, 5),
        bound
      })
      for (const stack of ["memory", "edge"]) {
        expect(stackOf(replayed, stack)).toMatchObject({
          kv: { reads: 2, writes: 1, deletes: 1, lists: 0 },
          hitRatio: { memory: 3 / 5, kv: 2 / 5 },
          refused: 0,
          staleReads: 0,
          lostWrites: 0,
          bound
        })
      }
      expect(stackOf(replayed, "edge").edge.matches).toBe(2)
      expect(stackOf(replayed, "memory").edge).toEqual({ matches: 0, puts: 0 })
    })
  )

  it.effect("asks again once an answer is older than --ttl", () =>
    Effect.gen(function* () {
      const file = trace("0,a,r", "59,a,r", "61,a,r", "120,a,r")
      const replayed = yield* result({ trace: file, stack: "memory,edge", ttl: "60" })
      for (const { bound, kv } of replayed.stacks) {
        expect(kv.reads).toBe(2)
        expect(bound.kvReads).toBe(2)
      }
    })
  )

  it.effect("lets a value go when its own ttl is over, and counts that as neither stale nor lost", () =>
    Effect.gen(function* () {
      const file = csv("time,key,size,op,ttl", ["0,a,9,w,60", "59,a,9,r,", "61,a,9,r,", "62,a,9,r,", "70,b,9,w,"])
      const replayed = yield* result({ trace: file, stack: "direct,memory,kv,durable" })
      for (const { lostWrites, stack, staleReads } of replayed.stacks) {
        expect([stack, staleReads, lostWrites]).toEqual([stack, 0, 0])
      }
      expect(stackOf(replayed, "memory").kv).toMatchObject({ reads: 1, writes: 2 })
    })
  )

  it.effect("begins without the keys that a log did not find, and answers no read of them wrongly", () =>
    Effect.gen(function* () {
      const file = csv('1.1.1.1 - - [10/Oct/2000:13:55:00 +0000] "GET /a HTTP/1.1" 404 9', [
        '1.1.1.1 - - [10/Oct/2000:13:55:01 +0000] "GET /a HTTP/1.1" 404 9',
        '1.1.1.1 - - [10/Oct/2000:13:55:02 +0000] "PUT /a HTTP/1.1" 201 0',
        '1.1.1.1 - - [10/Oct/2000:13:55:03 +0000] "GET /a HTTP/1.1" 200 70'
      ])
      const replayed = yield* result({ trace: file, stack: "direct,memory,durable" })
      expect(replayed).toMatchObject({ requests: 4, reads: 3, writes: 1 })
      expect(stackOf(replayed, "direct").kv).toMatchObject({ reads: 3, writes: 1 })
      expect(stackOf(replayed, "memory").kv).toMatchObject({ reads: 1, writes: 1 })
    })
  )

  it.effect("weighs the values of a log alike whether its writes say 0 bytes or none", () =>
    Effect.gen(function* () {
      const of = (bytes: string) => {
        const lines = Array.from({ length: 120 }, (_, index) => {
          const [method, size] = index % 3 === 0 ? ["PUT", bytes] : ["GET", 4000]
          const second = String(index % 60).padStart(2, "0")
          return `1.1.1.1 - - [10/Oct/2000:13:${56 + Math.floor(index / 60)}:${second} +0000] "${method} /${(index * 7) % 30} HTTP/1.1" 200 ${size}`
        })
        return Effect.map(
          result({ trace: csv(lines[0]!, lines.slice(1)), stack: "memory", memory: "20%" }),
          JSON.stringify
        )
      }
      const said = yield* of("0")
      expect(yield* of("-")).toBe(said)
      expect(yield* of("123456")).toBe(said)
    })
  )

  it.effect("keeps in memory no more than --memory", () =>
    Effect.gen(function* () {
      const file = trace("0,a,r", "1,a,r", "2,b,r", "3,b,r", "4,a,r", "5,b,r")
      const hits = (memory: string) =>
        Effect.map(result({ trace: file, stack: "memory", memory }), ({ stacks }) => stacks[0]!.hitRatio.memory)
      expect(yield* hits("1000000")).toBe(4 / 6)
      expect(yield* hits("1")).toBe(0)
    })
  )

  it.effect("shows that memory is saved only while its isolate lives", () =>
    Effect.gen(function* () {
      const file = trace(...Array.from({ length: 200 }, (_, index) => `${index * 600},a,r`))
      const reads = (isolateLife: string) =>
        Effect.map(result({ trace: file, stack: "memory", isolateLife }), ({ stacks }) => stacks[0]!.kv.reads)
      expect(yield* reads("none")).toBe(1)
      expect(yield* reads("60")).toBeGreaterThan(190)
      const lived = yield* reads("6000")
      expect(lived).toBeGreaterThan(5)
      expect(lived).toBeLessThan(60)
    })
  )

  it.effect("gives each location an edge cache of its own, shared by its isolates", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 40 }, (_, index) => `${index},a,r,s${index % 2}`)
      const replayed = yield* result({ trace: trace(...rows), stack: "memory,edge", isolates: "6", locations: "2" })
      expect(stackOf(replayed, "memory").kv.reads).toBe(6)
      expect(stackOf(replayed, "edge").kv.reads).toBe(2)
    })
  )

  it.effect("lets a second request join the first while KV answers", () =>
    Effect.gen(function* () {
      const replayed = yield* result({ trace: trace("0,a,r", "0,a,r", "0.001,a,r"), stack: "direct,memory" })
      expect(stackOf(replayed, "direct").kv.reads).toBe(3)
      expect(stackOf(replayed, "memory").kv.reads).toBe(1)
      expect(stackOf(replayed, "memory").latencyMs.p50).toBeGreaterThan(0)
    })
  )

  it.effect("counts apart what KV refuses: a key's second write within a second", () =>
    Effect.gen(function* () {
      const notes: Array<string> = []
      const replayed = yield* result({ trace: trace("0,a,w", "0.5,a,w", "1,a,w"), stack: "direct" }, notes)
      expect(replayed.stacks[0]).toMatchObject({ kv: { writes: 2 }, refused: 1, lostWrites: 0, bound: { kvWrites: 2 } })
      expect(notes).toContain("direct: 1 operations failed.")
    })
  )

  /** Of the day's sweeps, one every five minutes, the first; each reads and writes 110 states. */
  const sweeps = Math.min(runs(288), 288)
  const alerts = { scenario: "alerts", requests: `${sweeps}` }
  const asked = 110 * sweeps

  it.effect("is exactly 2,640 billed operations an hour for the alerts without Larder, whatever the seed", () =>
    Effect.gen(function* () {
      for (const seed of ["1", "4294967295"]) {
        const replayed = yield* result({ ...alerts, stack: "direct", seed })
        expect(replayed).toMatchObject({ workload: "alerts", requests: sweeps, reads: asked, writes: asked })
        const { kv, refused } = replayed.stacks[0]!
        expect((kv.reads + kv.writes + kv.deletes + kv.lists) / (sweeps / 12)).toBeCloseTo(2640)
        expect(refused).toBe(0)
      }
    })
  )

  it.effect("bills in every stack what is stored from the beginning", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 200 }, (_, key) => `${key * 1000},k${key},1000000,r`)
      const { stacks } = yield* result({ trace: csv("time,key,size,op", rows), stack: "direct,kv,durable" })
      const gigabytes = stacks.map(({ usd }) => usd.lines.find(({ item }) => item === "kvStored")!.count)
      // In durable mode snapshots hold it, two generations of them.
      expect(gigabytes[1]! / gigabytes[0]!).toBeCloseTo(1)
      expect(gigabytes[2]! / gigabytes[0]!).toBeCloseTo(2)
      expect(gigabytes[0]).toBeCloseTo((0.2 * 199_000) / (30 * 86_400), 3)
    })
  )

  it.effect("throttles the alerts without KV from memory on", () =>
    Effect.gen(function* () {
      const replayed = yield* result({ ...alerts, stack: "alias,memory" })
      const throttled = 100 * sweeps
      expect(stackOf(replayed, "alias").kv).toMatchObject({ reads: asked, writes: asked })
      expect(stackOf(replayed, "memory")).toMatchObject({
        kv: { reads: throttled, writes: throttled },
        hitRatio: { memory: 10 / 110, kv: 100 / 110 },
        bound: { kvReads: throttled, kvWrites: throttled },
        lostWrites: 0
      })
    })
  )

  it.effect("stops at the day's allowance on the Free plan", () =>
    Effect.gen(function* () {
      const { stacks } = yield* result({ ...alerts, stack: "direct", plan: "free" })
      expect(stacks[0]).toMatchObject({ kv: { reads: asked, writes: 1000 }, refused: asked - 1000, lostWrites: 0 })
    })
  )

  it.effect("names stacks as they were asked for", () =>
    Effect.gen(function* () {
      const { stacks } = yield* result({ trace: trace("0,a,r"), stack: "kv,prefetch,durable", budgetWrites: "3" })
      expect(stacks.map(({ stack }) => stack)).toEqual(["kv", "prefetch", "durable"])
      expect(stacks.map(({ stack: _, ...figures }) => figures)).toEqual(
        Array(3).fill(expect.objectContaining({ refused: 0 }))
      )
    })
  )

  it.effect("never bills less than the bound, loses nothing, and answers every read from some tier", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          anyRequests(1),
          fc.constantFrom("1", "60", "none"),
          fc.nat(9),
          async (rows, isolateLife, seed) => {
            const given = {
              trace: trace(...rows),
              stack: "direct,memory,edge",
              isolates: "4",
              locations: "2",
              isolateLife,
              seed: String(seed)
            }
            const replayed = await Effect.runPromise(result(given))
            expect(stackOf(replayed, "direct").kv.reads).toBe(replayed.reads)
            for (const { bound, hitRatio, kv, lostWrites } of replayed.stacks) {
              expect(kv.reads).toBeGreaterThanOrEqual(bound.kvReads)
              expect(kv.writes).toBeGreaterThanOrEqual(bound.kvWrites)
              expect(lostWrites).toBe(0)
              const answered = hitRatio.memory + hitRatio.edge + hitRatio.durable + hitRatio.kv
              expect(answered).toBeCloseTo(replayed.reads === 0 ? 0 : 1)
            }
          }
        ),
        { numRuns: runs(20) }
      )
    )
  )

  it.effect("gives for one seed the same result to the last digit, and another for another", () =>
    Effect.gen(function* () {
      const rows = Array.from(
        { length: 300 },
        (_, index) => `${index * 60},k${(index * 7) % 40},${index % 5 === 0 ? "w" : "r"}`
      )
      const file = trace(...rows)
      const of = (seed: string) =>
        Effect.map(
          result({ trace: file, stack: "direct,edge,durable", isolates: "3", isolateLife: "2400", ttl: "1800", seed }),
          (json) => JSON.stringify(json)
        )
      expect(yield* of("5")).toBe(yield* of("5"))
      expect(yield* of("5")).not.toBe(yield* of("6"))
    })
  )

  it.effect("reports on a page that loads nothing and cannot be broken by a name", () =>
    Effect.gen(function* () {
      const replayed = yield* run({ trace: trace("0,a,r", "9,a,w"), stack: "direct,kv" })
      const hostile = { ...replayed, result: { ...replayed.result, workload: `</script><b>"&` } }
      const page = reportOf(hostile)
      expect(page).not.toMatch(/(src|href)=|@import|url\(\s*["']?http/i)
      expect(page).not.toContain("</script><b>")
      expect(page).toContain("&lt;/script&gt;&lt;b&gt;&quot;&amp;")
      expect(page).toContain("new uPlot(")
      expect(rowsOf(replayed.result).map((row) => row["KV writes"])).toEqual([1, 1])
      expect(page).toContain("<td>direct</td><td>1</td><td>1</td>")
      for (const column of ["durable hit %", "DO requests", "DO rows written"]) expect(page).toContain(column)
    })
  )
})
