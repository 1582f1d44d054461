import * as WorkloadTradingDay from "../../src/layers/replay/WorkloadTradingDay.ts"
import { collections } from "../../src/services/replay/model/TradingDay.ts"
import type { WorkloadRequest } from "../../src/services/replay/Workload.ts"
import type { Isolate } from "./system.ts"
import type { Workload } from "./workloads.ts"

const numbered = (prefix: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`)

const day = () =>
  WorkloadTradingDay.make(1, collections(), { symbols: numbered("SYM", 60), sectors: numbered("XL", 11) })

/**
 * The scenario `trading-day` of replay: alerts swept every five minutes, the sessions of clients, the writes of crons. In
 * three isolates; each request has settled before the next one that comes a second later.
 */
export const tradingDay: Workload = {
  name: "the trading day",
  latencyMillis: 0,
  seed: async (isolate) => {
    for (const { collection, initial, key, size } of day().entries) {
      if (initial) await isolate.put(`${collection.name}:${key}`, "x".repeat(size))
    }
  },
  run: async (first, { another, passSeconds }) => {
    const workload = day()
    const isolates = [first, await another(), await another()]
    const keys = workload.entries.map(({ collection, key }) => `${collection.name}:${key}`)
    const valueOf = (entry: number, at: number) => String(at).padEnd(workload.entries[entry]!.size, "x")

    const put = (isolate: Isolate, entries: ReadonlyArray<number>, at: number) =>
      Promise.all(entries.map((entry) => isolate.put(keys[entry]!, valueOf(entry, at))))

    const serve = async (isolate: Isolate, request: WorkloadRequest): Promise<unknown> => {
      switch (request.kind) {
        case "read":
          return isolate.get(keys[request.entry]!)
        case "readMany":
          return isolate.getMany(request.entries.map((entry) => keys[entry]!))
        case "sweep": {
          const all = [...request.states, ...request.failures]
          await Promise.all(all.map((entry) => isolate.get(keys[entry]!)))
          return put(isolate, all, request.at)
        }
        case "writeMany":
          return put(isolate, request.entries, request.at)
        default:
          return put(isolate, [request.entry], request.at)
      }
    }

    let now = workload.request(0).at
    for (let index = 0; index < workload.length; index++) {
      const request = workload.request(index)
      if (request.at - now >= 1000) {
        await Promise.all(isolates.map((isolate) => isolate.settled()))
        passSeconds((request.at - now) / 1000)
        now = request.at
      }
      // What systems put off to the next turn of the event loop must have one: workerd keeps 10,000 of those at most.
      if (index % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0))
      const session = "session" in request ? (request.session ?? 0) : 0
      await serve(isolates[session % isolates.length]!, request)
    }
    return { requests: workload.length }
  }
}
