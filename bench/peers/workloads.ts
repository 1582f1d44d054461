import type { Isolate } from "./system.ts"
import { tradingDay } from "./tradingDay.ts"

export interface Outcome {
  /** Requests of a client. */
  readonly requests: number
  readonly loaderRuns?: number
  /** What the last caller got. */
  readonly last?: unknown
  /** Milliseconds that callers waited, where it matters. */
  readonly waitedMillis?: number
}

/** What a workload may do besides asking. */
export interface World {
  /** A new isolate over the same namespace. */
  readonly another: () => Promise<Isolate>
  readonly passSeconds: (seconds: number) => void
  /** From now on KV answers after so many milliseconds. */
  readonly answerAfter: (millis: number) => void
}

export interface Workload {
  readonly name: string
  /** Before anything is counted, in an isolate of its own. */
  readonly seed?: (isolate: Isolate) => Promise<void>
  readonly run: (isolate: Isolate, world: World) => Promise<Outcome>
  /** Milliseconds that KV takes. Default 1. */
  readonly latencyMillis?: number
}

const times = <A>(count: number, make: (at: number) => Promise<A>): Promise<Array<A>> =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)))

const inTurn = async (count: number, make: (at: number) => Promise<unknown>): Promise<unknown> => {
  let last: unknown
  for (let at = 0; at < count; at++) last = await make(at)
  return last
}

const keys = Array.from({ length: 50 }, (_, at) => `many-${at}`)

export const workloads: ReadonlyArray<Workload> = [
  {
    name: "100 concurrent cold reads",
    seed: async (isolate) => void (await isolate.put("cold", "value")),
    run: async (isolate) => ({ requests: 100, last: (await times(100, () => isolate.get("cold"))).at(-1) })
  },
  {
    name: "100 warm reads",
    seed: async (isolate) => void (await isolate.put("warm", "value")),
    run: async (isolate) => ({ requests: 100, last: await inTurn(100, () => isolate.get("warm")) })
  },
  {
    name: "a new isolate, KV warm",
    seed: async (isolate) => void (await times(20, (at) => isolate.put(`warm-${at}`, "value"))),
    run: async (isolate, { another }) => {
      await times(20, (at) => isolate.get(`warm-${at}`))
      const next = await another()
      return { requests: 40, last: (await times(20, (at) => next.get(`warm-${at}`))).at(-1) }
    }
  },
  {
    name: "20 concurrent writes to one key",
    run: async (isolate) => {
      await times(20, (at) => isolate.put("busy", `v${at}`))
      await isolate.settled()
      return { requests: 20, last: await isolate.get("busy") }
    }
  },
  {
    name: "getMany of 50, twice",
    seed: async (isolate) => void (await times(50, (at) => isolate.put(keys[at]!, "value"))),
    run: async (isolate) => {
      await isolate.getMany(keys)
      await isolate.getMany(keys)
      return { requests: 2 }
    }
  },
  {
    name: "100 misses of an absent key",
    run: async (isolate) => ({ requests: 100, last: await inTurn(100, () => isolate.get("absent")) })
  },
  {
    name: "a crawler's sweep of 400 pages, twice",
    run: async (isolate) => {
      let loaderRuns = 0
      const page = async (at: number) => {
        loaderRuns++
        return `page ${at}`
      }
      for (let sweep = 0; sweep < 2; sweep++) await inTurn(400, (at) => isolate.load(`page-${at}`, () => page(at)))
      return { requests: 800, loaderRuns, last: await isolate.load("page-399", () => page(399)) }
    }
  },
  {
    name: "a list polled every 30 s for 10 min",
    seed: async (isolate) => void (await times(5, (at) => isolate.put(`listed-${at}`, "value"))),
    run: async (isolate, { passSeconds }) => {
      await inTurn(20, async () => {
        passSeconds(30)
        await isolate.list("listed-")
      })
      return { requests: 20 }
    }
  },
  {
    name: "1,000 increments of one counter",
    run: async (isolate) => {
      await inTurn(1000, () => isolate.add("hits"))
      await isolate.settled()
      return { requests: 1000 }
    }
  },
  {
    name: "a loader that fails, an old value there",
    run: async (isolate, { passSeconds }) => {
      let loaderRuns = 0
      await isolate.load("failing", async () => "old")
      await isolate.settled()
      passSeconds(400)
      const outcomes = await times(100, () =>
        isolate
          .load("failing", async () => {
            loaderRuns++
            throw new Error("the source is down")
          })
          .catch(() => "an error")
      )
      return { requests: 101, loaderRuns, last: outcomes.at(-1) }
    }
  },
  {
    name: "KV stuck for 2 s, an old value there",
    run: async (isolate, { answerAfter, passSeconds }) => {
      let loaderRuns = 0
      await isolate.load("stuck", async () => "old")
      await isolate.settled()
      passSeconds(400)
      answerAfter(2000)
      const began = Date.now()
      const outcomes = await times(100, () =>
        isolate.load("stuck", async () => {
          loaderRuns++
          return "new"
        })
      )
      return { requests: 101, loaderRuns, last: outcomes.at(-1), waitedMillis: Date.now() - began }
    }
  },
  tradingDay
]
