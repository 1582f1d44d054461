import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type { Miniflare } from "miniflare"
import * as DurableCacheBinding from "../../../src/layers/durable/DurableCacheBinding.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { entriesOf } from "../../../src/services/durable/DurableCache.ts"
import { contract } from "../../contracts/durable/DurableCache.ts"
import { worldOf } from "../../support/durable/durableOverHttp.ts"
import { write } from "../../support/durable/shardWrite.ts"
import { bundle, start } from "../../support/miniflare.ts"
import { runs } from "../../support/runs.ts"

let script: string
let directory: string
let worker: Miniflare
let base: URL

const open = async (): Promise<void> => {
  const object = (className: string) => ({ className, useSQLite: true })
  worker = start(
    script,
    {},
    {
      durableObjects: { CACHE_DO: object("TestObject"), QUICK: object("QuickObject"), BROKEN: object("BrokenObject") },
      durableObjectsPersist: directory
    }
  )
  base = await worker.ready
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "larder-"))
  script = await bundle(new URL("../../support/durable/durableWorker.ts", import.meta.url))
  await open()
})

afterAll(async () => {
  await worker.dispose()
  await rm(directory, { recursive: true })
})

contract("DurableCacheBinding", (shards) => worldOf(base, shards), { runs: runs(10) })

describe("an object inside workerd", () => {
  it.live("keeps everything over a restart", () =>
    Effect.gen(function* () {
      const space = crypto.randomUUID()
      const ids = Array.from({ length: 10 }, (_, i) => `kept/${i}`)
      const before = worldOf(base, 2, { space }).cache
      yield* before.apply(ids.map((id, i) => write(id, { tags: [`t${i % 2}`] })))
      yield* before.invalidateTags(["t1"], { wall: 2, counter: 0, writer: "test" })
      const [held, stats] = [yield* before.getMany(ids), (yield* before.stats).shards]
      assert.strictEqual(held.filter((entry) => entry !== undefined).length, 5)
      yield* Effect.promise(() => worker.dispose())
      yield* Effect.promise(open)
      const { billed, cache } = worldOf(base, 2, { space })
      assert.deepStrictEqual(yield* cache.getMany(ids), held)
      assert.strictEqual(billed().rowsWritten, 0)
      assert.deepStrictEqual(
        (yield* cache.stats).shards.map(({ entries }) => entries),
        stats.map(({ entries }) => entries)
      )
      assert.strictEqual(yield* cache.flush, 2)
    })
  )

  it.live("finds out which shard it is, which the platform does not tell it", () =>
    Effect.promise(async () => {
      const response = await fetch(new URL("/whoami", base), { method: "POST", body: "[]" })
      assert.deepStrictEqual(await response.json(), [{ generation: 0, shard: 2 }, { generation: 3, shard: 40 }, "none"])
    })
  )

  it.live("sweeps what has expired on its alarms", () =>
    Effect.gen(function* () {
      const { billed, cache } = worldOf(base, 1, { object: "QUICK" })
      yield* cache.apply(Array.from({ length: 12 }, (_, i) => write(`a/${i}`, { expiresAt: 1 })))
      const emptied = Effect.map(cache.stats, ({ shards: [stats] }) => stats!.entries === 0)
      yield* Effect.repeat(emptied, { until: (done) => done, schedule: Schedule.spaced("20 millis") })
      assert.isAtLeast(billed().requests, 4)
      const settled = Effect.map(cache.flush, (flushed) => flushed === 0)
      yield* Effect.repeat(settled, { until: (done) => done, schedule: Schedule.spaced("20 millis") })
    })
  )

  it.live("fails with a typed error when it throws, is overloaded, or goes away", () =>
    Effect.gen(function* () {
      for (const [id, reason] of [
        ["throw", "Unavailable"],
        ["overloaded", "Overloaded"],
        ["abort", "Unavailable"]
      ] as const) {
        const { billed, cache } = worldOf(base, 1, { object: "BROKEN" })
        const error = yield* Effect.flip(entriesOf(cache, [id]))
        assert.deepStrictEqual([error._tag, error.operation, error.reason], ["DurableCacheError", "get", reason])
        assert.strictEqual(billed().requests, 1)
        const missing = yield* Effect.flip(cache.list("", undefined, 1))
        assert.deepStrictEqual([missing.operation, missing.reason], ["list", "Unavailable"])
      }
    })
  )
})

describe("the client of the binding", () => {
  const reply = <A>(answer: A) => ({ _tag: "Answered", billed: { requests: 1, rowsRead: 2, rowsWritten: 3 }, answer })

  it.effect("makes a stub for every call, disposes of every reply, and resends nothing", () =>
    Effect.gen(function* () {
      const ledger = LedgerMemory.make(0)
      const named: Array<string> = []
      let disposed = 0
      let refusing = false
      const apply = async (writes: ReadonlyArray<unknown>) => {
        if (refusing) throw Object.assign(new Error("again?"), { retryable: true })
        const dispose = () => {
          disposed += 1
        }
        return { ...reply(writes.map(() => ({ outcome: "applied" }))), [Symbol.dispose]: dispose }
      }
      const namespace = {
        getByName: (name: string) => {
          named.push(name)
          return { apply }
        }
      }
      const cache = DurableCacheBinding.make(namespace, 1, ledger)
      yield* cache.apply([write("a")])
      yield* cache.apply([write("b")])
      assert.deepStrictEqual([named, disposed], [["shard-0", "shard-0"], 2])
      refusing = true
      const results = yield* cache.apply([write("a"), write("b")])
      assert.deepStrictEqual(
        results.map((result) => "reason" in result && [result.operation, result.reason]),
        Array(2).fill(["apply", "Unavailable"])
      )
      assert.strictEqual(named.length, 3)
      assert.deepStrictEqual(ledger.report().total.durableObject, { requests: 5, rowsRead: 4, rowsWritten: 6 })
    })
  )

  it.effect("an abandoned call ends at once for its caller, and is counted when it ends by itself", () =>
    Effect.gen(function* () {
      const ledger = LedgerMemory.make(0)
      const answered = yield* Deferred.make<unknown>()
      const answer = Effect.runPromise(Deferred.await(answered))
      const cache = DurableCacheBinding.make({ getByName: () => ({ getMany: () => answer }) }, 1, ledger)
      const fiber = yield* Effect.fork(cache.getMany(["a"]))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(ledger.report().total.durableObject.requests, 0)
      yield* Deferred.succeed(answered, reply([undefined]))
      yield* Effect.promise(() => answer)
      yield* Effect.promise(() => Promise.resolve())
      assert.deepStrictEqual(ledger.report().total.durableObject, { requests: 2, rowsRead: 2, rowsWritten: 3 })
    })
  )

  it.effect("a lease's patience travels in milliseconds", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const lease = async (...args: ReadonlyArray<unknown>) => {
        asked.push(args)
        return reply({ _tag: "Busy" })
      }
      const cache = DurableCacheBinding.make({ getByName: () => ({ lease }) }, 1, LedgerMemory.make(0))
      yield* cache.lease("a", Duration.seconds(2))
      assert.deepStrictEqual(asked, [["a", 2000]])
    })
  )
})
