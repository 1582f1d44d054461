import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ReplayIsolates from "../src/entry/replay/replayIsolates.ts"
import { partsNamed } from "../src/entry/replay/replayOptions.ts"
import * as LedgerMemory from "../src/layers/ledger/LedgerMemory.ts"
import * as VirtualTime from "../src/layers/simulation/VirtualTime.ts"
import { Ledger, usageOf } from "../src/services/ledger/Ledger.ts"
import { usdOf } from "../src/services/ledger/model/Bill.ts"
import { epoch } from "../src/services/replay/model/Trace.ts"
import { type Isolate, ReplayFleet } from "../src/services/replay/ReplayFleet.ts"
import { Workload } from "../src/services/replay/Workload.ts"
import { alwaysAfresh, define, type PolicyInput } from "../src/services/store/model/Collection.ts"

/**
 * What a list costs that a dashboard polls every 30 seconds for a day: in one location, on either of two isolates that live
 * 15 minutes, with one write in ten minutes. `npm run bench -- lists`
 */

const polls = 2 * 60 * 24

const day = (stack: string, policy: PolicyInput) => {
  const notes = define("notes", { ttl: "7 days", jitter: 0, ...policy })
  const workload: Workload["Type"] = {
    name: "lists",
    length: 1,
    request: () => ({ kind: "read", at: epoch, entry: 0, size: 0, session: undefined }),
    entries: Array.from({ length: 50 }, (_, key) => ({ collection: notes, key: `k${key}`, size: 100, initial: true }))
  }
  const parts = partsNamed(stack, undefined)!
  const options = { parts, memoryBytes: 1e7, shards: 1, plan: "paid" as const, seed: 1 }
  const program = Effect.gen(function* () {
    const fleet = yield* ReplayFleet
    const ledger = yield* Ledger
    const isolates: Array<Isolate> = []
    for (let poll = 0; poll < polls; poll++) {
      if (poll % 30 === 0) isolates.splice(0, 2, yield* fleet.start(0), yield* fleet.start(0))
      const { invoke, store } = isolates[(poll >> 1) % 2]!
      if (poll % 20 === 0) yield* Effect.orDie(invoke(store.set(notes, `k${poll % 50}`, new Uint8Array(100))))
      yield* Effect.orDie(invoke(store.list(notes, {})))
      yield* Effect.sleep("30 seconds")
    }
    const { total } = ledger.report()
    return { lists: total.kv.lists, requests: total.durableObject.requests, usd: usdOf(usageOf(total)) }
  }).pipe(
    Effect.provide(ReplayIsolates.layer({ ...options, budgetWrites: undefined, prefetchPrecision: undefined })),
    Effect.provideService(Workload, workload),
    Effect.provide(LedgerMemory.layer)
  )
  return Exit.getOrElse(VirtualTime.make(epoch, 1).run(program), (cause) => {
    throw new Error("the day failed", { cause })
  })
}

const policies = {
  "every time": alwaysAfresh,
  "the default, 60 s and 30 s": {},
  "5 minutes": { memoryTtl: "5 minutes", edgeTtl: "5 minutes" }
} as const satisfies Record<string, PolicyInput>

const table: Record<string, Record<string, number>> = {}
for (const stack of ["kv", "durable"]) {
  for (const [name, policy] of Object.entries(policies)) {
    const { lists, requests, usd } = day(stack, policy)
    table[`${stack}, ${name}`] = {
      polls,
      "KV lists": lists,
      "object requests": requests,
      "$ a month": Number((usd * 30).toFixed(4))
    }
  }
}
console.table(table)
