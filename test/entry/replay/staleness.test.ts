import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ReplayIsolates from "../../../src/entry/replay/replayIsolates.ts"
import { partsNamed } from "../../../src/entry/replay/replayOptions.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import { replayWorkload } from "../../../src/programs/replay/replayWorkload.ts"
import * as Random from "../../../src/services/base/model/Random.ts"
import type { Replayed } from "../../../src/services/replay/model/Replayed.ts"
import { epoch } from "../../../src/services/replay/model/Trace.ts"
import { Workload, type WorkloadEntry, type WorkloadRequest } from "../../../src/services/replay/Workload.ts"
import { alwaysAfresh, define, type PolicyInput } from "../../../src/services/store/model/Collection.ts"
import { runs } from "../../support/runs.ts"

const brief: PolicyInput = { ttl: "1 day", memoryTtl: "40 seconds", edgeTtl: "50 seconds", negativeTtl: "20 seconds" }

/** Keys that clients write at any time, and those that one cron at a time writes: what several write is packed in no KV. */
const collections = {
  plain: define("plain", brief),
  afresh: define("afresh", { ...brief, ...alwaysAfresh }),
  served: define("served", { ...brief, staleFor: "15 seconds" }),
  packed: define("packed", { ...brief, packed: true }),
  buffered: define("buffered", { ...brief, packed: true, write: "behind", flushEvery: "10 seconds" })
}

const keysEach = 2
const minute = 60_000

/** 15 minutes of clients that read everything, and write and delete some of it; a cron every three minutes writes pages. */
const workloadOf = (seed: number): Workload["Type"] => {
  const draw = Random.make(seed)
  const entries = Object.values(collections).flatMap((collection) =>
    Array.from(
      { length: keysEach },
      (_, key): WorkloadEntry => ({ collection, key: `k${key}`, size: 50, initial: key === 0 })
    )
  )
  const client = (): WorkloadRequest => {
    const at = epoch + Math.floor(draw() * 15 * minute)
    const entry = Math.floor(draw() * entries.length)
    const isCrons = entries[entry]!.collection.policy.packed === true
    const kind = isCrons || draw() < 0.7 ? "read" : draw() < 0.8 ? "write" : "delete"
    return { kind, at, entry, size: 50, session: Math.floor(draw() * 12) }
  }
  const crons = Array.from({ length: 4 }, (_, number): WorkloadRequest => {
    const first = (number % 2 === 0 ? 3 : 4) * keysEach
    return {
      kind: "writeMany",
      at: epoch + (number + 1) * 3 * minute,
      entries: Array.from({ length: keysEach }, (_, key) => first + key)
    }
  })
  const requests = [...Array.from({ length: 700 }, client), ...crons].toSorted((a, b) => a.at - b.at)
  return { name: "stale", length: requests.length, request: (index) => requests[index]!, entries }
}

const replayed = (stack: string, seed: number): Replayed => {
  const parts = partsNamed(stack, undefined)!
  const fleet = { isolates: 6, locations: 3, meanLife: 4 * minute, seed }
  const options = { parts, memoryBytes: 1e6, shards: 2, plan: "paid" as const, seed }
  const program = replayWorkload(fleet).pipe(
    Effect.provide(ReplayIsolates.layer({ ...options, budgetWrites: undefined, prefetchPrecision: undefined })),
    Effect.provideService(Workload, workloadOf(seed)),
    Effect.provide(LedgerMemory.layer)
  )
  return Effect.runSync(VirtualTime.make(epoch, seed).run(program)).figures
}

describe("what reads of six isolates and cold crons see of what was replaced", () => {
  for (const stack of ["kv", "durable"]) {
    it(`is no older than the policy of its collection allows, at any seed, in ${stack}`, () => {
      for (let seed = 1; seed <= Math.max(3, runs(6)); seed++) {
        const { bufferedLost, lostWrites, staleBeyondPolicy, staleness } = replayed(stack, seed)
        expect({ seed, staleBeyondPolicy, lostWrites, bufferedLost, staleness }).toMatchObject({
          staleBeyondPolicy: 0,
          lostWrites: 0,
          bufferedLost: 0
        })
      }
    })
  }
})
