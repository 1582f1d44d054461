import "./virtualTime.ts"

import { prices } from "../../src/services/ledger/model/Prices.ts"
import { meteredNamespace } from "./meteredNamespace.ts"
import type { System } from "./system.ts"
import { systems } from "./systems.ts"
import { beginRequest, forgetLocation, passSeconds } from "./virtualTime.ts"
import { type Workload, workloads } from "./workloads.ts"

// What bench/peers.ts asks of workerd: GET /run?system=N&workload=N, and GET /hot?system=N&count=N.

type Counts = ReturnType<typeof meteredNamespace>["counts"]

const usdOf = ({ deletes, lists, reads, writes }: Counts): number =>
  reads * prices.kvReads[0] + writes * prices.kvWrites[0] + deletes * prices.kvDeletes[0] + lists * prices.kvLists[0]

const run = async (system: System, { latencyMillis = 1, run, seed }: Workload) => {
  const { answerAfter, counts, kv } = meteredNamespace(latencyMillis)
  if (seed !== undefined) {
    const seeding = await system.open(kv)
    await seed(seeding)
    await seeding.settled()
    forgetLocation()
  }
  const before = { ...counts }
  const otherBefore = system.otherUsd?.(kv) ?? 0
  const isolate = await system.open(kv)
  const another = async () => system.open(kv)
  const { requests, ...outcome } = await run(isolate, { another, passSeconds, answerAfter })
  await isolate.settled()
  const billed = {
    reads: counts.reads - before.reads,
    writes: counts.writes - before.writes,
    deletes: counts.deletes - before.deletes,
    lists: counts.lists - before.lists
  }
  const usd = usdOf(billed) + (system.otherUsd?.(kv) ?? 0) - otherBefore
  return { kv: billed, usdPerMillionRequests: (usd / requests) * 1e6, ...outcome }
}

/** Reads of one key that memory answers, one after the other. */
const hot = async (system: System, count: number) => {
  const { counts, kv } = meteredNamespace(0)
  const isolate = await system.open(kv)
  await isolate.put("hot", "value")
  await isolate.get("hot")
  await isolate.settled()
  const before = counts.reads
  for (let read = 0; read < count; read++) await isolate.get("hot")
  return { fromMemory: counts.reads === before && system.edgeOnly !== true }
}

const answer = async (pathname: string, parameters: URLSearchParams): Promise<unknown> => {
  const at = (name: string): number => Number(parameters.get(name))
  const system = systems[at("system")]!
  switch (pathname) {
    case "/run":
      return run(system, workloads[at("workload")]!)
    case "/hot":
      return hot(system, at("count"))
    default:
      return {
        systems: systems.map(({ imports, name }) => ({ imports, name })),
        workloads: workloads.map(({ name }) => name)
      }
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    beginRequest()
    const { pathname, searchParams } = new URL(request.url)
    const found = await answer(pathname, searchParams)
    // What still waits is cancelled with its request: a clock that a timer of a system drives would stand still.
    passSeconds(3600)
    return Response.json(found)
  }
}
