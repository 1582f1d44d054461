import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as DurableCacheMemory from "../../../src/layers/durable/DurableCacheMemory.ts"
import * as ShardMemory from "../../../src/layers/durable/ShardMemory.ts"
import * as EdgeResponsesMemory from "../../../src/layers/http-cache/EdgeResponsesMemory.ts"
import * as PurgeLogDurable from "../../../src/layers/http-cache/PurgeLogDurable.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import type { PurgeMark } from "../../../src/services/http-cache/model/Purge.ts"
import { type PurgeLog, retainedMillis } from "../../../src/services/http-cache/PurgeLog.ts"
import * as Stamper from "../../../src/services/store/Stamper.ts"
import { cacheWorld } from "../../support/http-cache/cacheWorld.ts"

const durable = (shards: number) =>
  DurableCacheMemory.make(
    Array.from({ length: shards }, () => ShardMemory.make()),
    LedgerMemory.make(0)
  )

const logOf = (objects: ReturnType<typeof durable>, writer: string): PurgeLog =>
  PurgeLogDurable.make(
    objects,
    Stamper.make(() => writer)
  )

/** A log in memory whose answers can be withheld. */
const scripted = () => {
  const marks: Array<PurgeMark> = []
  const log = { reads: 0, down: false }
  const purgeLog: PurgeLog = {
    read: async (since) => {
      log.reads += 1
      if (log.down) throw new Error("down")
      return marks.filter(({ at }) => at >= since - 60_000)
    },
    write: async (mark) => {
      if (log.down) throw new Error("down")
      marks.push(mark)
    }
  }
  return { log, purgeLog }
}

const shoe = { headers: { "cache-control": "max-age=86400", "cache-tag": "shoes" } }

describe("PurgeLogDurable", () => {
  it("tells a mark that lies behind any number of marks that have expired", async () => {
    const objects = durable(1)
    const now = Date.now()
    const stamps = Stamper.make(() => "earlier")
    const dead = Array.from({ length: 25_000 }, (_, at) => ({
      id: `~purges/${String(now - 30_000 + at).padStart(15, "0")}-${at}`,
      stamp: stamps.next(now - 30_000),
      body: { value: new Uint8Array(0), contentType: "", tags: [], expiresAt: now - 1, loadMillis: 0 }
    }))
    await Effect.runPromise(objects.apply(dead, "first"))
    const log = logOf(objects, "one")
    await log.write({ at: now, tags: ["shoes"] })
    assert.deepStrictEqual(await log.read(now - 60_000), [{ at: now, tags: ["shoes"] }])
  })

  for (const shards of [1, 3]) {
    it(`tells every isolate every mark that was set since, over ${shards} objects`, async () => {
      const objects = durable(shards)
      const [one, other] = [logOf(objects, "one"), logOf(objects, "other")]
      const now = Date.now()
      const marks: ReadonlyArray<PurgeMark> = [
        { at: now - 3_600_000, tags: ["old"] },
        { at: now - 1000, tags: ["shoes", "häuser"] },
        { at: now, pathPrefixes: ["/a/"] },
        { at: now, everything: true }
      ]
      for (const mark of marks) await one.write(mark)
      const byText = (all: ReadonlyArray<PurgeMark>) => all.map((mark) => JSON.stringify(mark)).sort()
      assert.deepStrictEqual(byText(await other.read(0)), byText(marks))
      assert.deepStrictEqual(byText(await other.read(now)), byText(marks.slice(1)))
    })
  }

  it("reads more marks than one page holds", async () => {
    const log = logOf(durable(1), "one")
    const now = Date.now()
    for (let i = 0; i < 1001; i++) await log.write({ at: now - i, tags: [`t${i}`] })
    assert.strictEqual((await log.read(0)).length, 1001)
  })
})

describe("a purge with a log", () => {
  it.effect(
    "reaches isolates of other locations within a minute, memory and edge, and costs each one read a minute",
    () =>
      Effect.gen(function* () {
        const { log, purgeLog } = scripted()
        const here = yield* cacheWorld(() => shoe, { edge: EdgeResponsesMemory.layer, purgeLog })
        const there = yield* cacheWorld(() => shoe, { edge: EdgeResponsesMemory.layer, purgeLog })
        yield* TestClock.setTime(1_800_000_000_000)
        for (const world of [here, there]) yield* world.ask("/1")
        yield* TestClock.adjust("30 seconds")
        // Another resource, so that not everything is asked anew at the same moment.
        yield* there.ask("/2")
        yield* here.store.purge({ at: 1_800_000_030_000, tags: ["shoes"] })
        yield* here.ask("/1")
        assert.strictEqual(here.asked.length, 2)
        yield* TestClock.adjust("31 seconds")
        for (let i = 0; i < 9; i++) yield* there.ask("/1")
        assert.strictEqual(there.asked.length, 3)
        yield* there.ask("/2")
        assert.strictEqual(there.asked.length, 4)
        assert.strictEqual(log.reads, 3)
      })
  )

  it.effect("holds where nothing is kept at the edge", () =>
    Effect.gen(function* () {
      const { purgeLog } = scripted()
      const [here, there] = [yield* cacheWorld(() => shoe, { purgeLog }), yield* cacheWorld(() => shoe, { purgeLog })]
      yield* TestClock.setTime(1_800_000_000_000)
      for (const world of [here, there]) yield* world.ask("/1")
      yield* here.store.purge({ at: 1_800_000_000_000, pathPrefixes: ["/"] })
      yield* TestClock.adjust("1 minute")
      yield* there.ask("/1")
      assert.strictEqual(there.asked.length, 2)
    })
  )

  it.effect("fails where the log does not take it, and answers go on while the log does not tell", () =>
    Effect.gen(function* () {
      const { log, purgeLog } = scripted()
      const world = yield* cacheWorld(() => shoe, { edge: EdgeResponsesMemory.layer, purgeLog })
      yield* TestClock.setTime(1_800_000_000_000)
      yield* world.ask("/1")
      log.down = true
      yield* TestClock.adjust("2 minutes")
      yield* world.ask("/1")
      assert.strictEqual(world.asked.length, 1)
      const outcome = yield* Effect.either(world.store.purge({ at: 1_800_000_120_000, everything: true }))
      assert.strictEqual(outcome._tag, "Left")
      log.down = false
      yield* purgeElsewhere(purgeLog, 1_800_000_120_000)
      yield* TestClock.adjust("6 seconds")
      yield* world.ask("/1")
      assert.strictEqual(world.asked.length, 2)
    })
  )

  it.effect("need not be remembered longer than any response is reused", () =>
    Effect.gen(function* () {
      const { purgeLog } = scripted()
      const year = { headers: { "cache-control": "max-age=31536000" } }
      const world = yield* cacheWorld(() => year, { edge: EdgeResponsesMemory.layer, purgeLog })
      yield* TestClock.setTime(1_800_000_000_000)
      yield* world.ask("/1")
      yield* TestClock.adjust(retainedMillis - 1000)
      yield* world.ask("/1")
      assert.strictEqual(world.asked.length, 1)
      yield* TestClock.adjust("2 seconds")
      yield* world.ask("/1")
      assert.strictEqual(world.asked.length, 2)
    })
  )
})

const purgeElsewhere = (log: PurgeLog, at: number) => Effect.promise(() => log.write({ at, everything: true }))
