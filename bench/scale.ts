import { performance } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as AlertRulesStore from "../src/layers/alerts/AlertRulesStore.ts"
import * as ShardMemory from "../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../src/layers/kv/KvMemory.ts"
import * as SnapshotsKv from "../src/layers/snapshots/SnapshotsKv.ts"
import type { AlertRule } from "../src/services/alerts/model/AlertRule.ts"
import type { Shard } from "../src/services/durable/Shard.ts"
import type { Kv } from "../src/services/kv/Kv.ts"
import type { Repository } from "../src/services/repository/Repository.ts"

// How the cost of operations grows with what is kept: of a shard in memory, which bills rows as SQLite's cursors do, at
// three sizes. Rows, KV operations and bytes are exact; the exponent is that of a power of the size between the least
// and the largest (0: the same at any size, 1: proportional, 2: quadratic). Milliseconds are of this machine.
// npm run bench -- scale [largest]

const largest = Number(process.argv[2] ?? 40_000)
const sizes = [largest / 16, largest / 4, largest].map(Math.round)
const start = 1_764_237_000_000
const valueBytes = 50

interface Cost {
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly kvWrites: number
  readonly kvBytes: number
  readonly millis: number
  /** The longest that nobody else had a turn, in milliseconds of CPU: what a GET waits at most where nothing else runs. */
  readonly stall: number
}

interface World {
  readonly shard: Shard["Type"]
  readonly size: number
  readonly snapshot: () => Promise<void>
  readonly kv: { writes: number; bytes: number }
  readonly put: (index: number, life?: number) => void
}

const idOf = (index: number): string => `notes/${String(index).padStart(8, "0")}`

const worldOf = (size: number): World => {
  const shard = ShardMemory.make()
  const kv = { writes: 0, bytes: 0 }
  const inner = KvMemory.make()
  const counted: Kv["Type"] = {
    ...inner,
    put: (key, value, options) => {
      kv.writes += 1
      kv.bytes += value.byteLength
      // KV answers in a later turn.
      return Effect.zipLeft(
        inner.put(key, value, options),
        Effect.promise(() => new Promise((resume) => setImmediate(resume)))
      )
    }
  }
  const snapshots = SnapshotsKv.make(counted)
  let counter = 0
  const put = (index: number, life = Number.POSITIVE_INFINITY): void => {
    const body = {
      value: crypto.getRandomValues(new Uint8Array(valueBytes)),
      contentType: "text/plain",
      tags: [],
      expiresAt: start + life,
      loadMillis: 0
    }
    shard.apply([{ id: idOf(index), stamp: { wall: start, counter: counter++, writer: "bench" }, body }], start)
  }
  for (let index = 0; index < size; index++) put(index)
  return { shard, size, kv, put, snapshot: () => Effect.runPromise(snapshots.save("bench", shard.source, start)) }
}

const costOf = async ({ kv, shard }: World, work: () => unknown): Promise<Cost> => {
  const [rows, writes, bytes, began] = [shard.billed(), kv.writes, kv.bytes, performance.now()]
  let stall = 0
  let turn = process.cpuUsage()
  const endTurn = (): void => {
    const { system, user } = process.cpuUsage(turn)
    stall = Math.max(stall, (system + user) / 1000)
    turn = process.cpuUsage()
  }
  const watch = (): void => {
    endTurn()
    watching = setImmediate(watch)
  }
  let watching = setImmediate(watch)
  await work()
  clearImmediate(watching)
  endTurn()
  const after = shard.billed()
  return {
    rowsRead: after.rowsRead - rows.rowsRead,
    rowsWritten: after.rowsWritten - rows.rowsWritten,
    kvWrites: kv.writes - writes,
    kvBytes: kv.bytes - bytes,
    millis: performance.now() - began,
    stall
  }
}

const clear = ({ shard }: World) => shard.clear("notes/", { wall: start + 1, counter: 0, writer: "bench" }, start + 1)

/** What is measured in a world of its own, after what is prepared. */
const operations: Record<string, (world: World) => Promise<Cost>> = {
  "GET of one entry": (world) => costOf(world, () => void world.shard.getMany([idOf(world.size >> 1)], start)),
  "PUT of one entry": (world) => costOf(world, () => world.put(world.size >> 1)),
  "list of 1": (world) => costOf(world, () => void world.shard.list("notes/", undefined, 1, start)),
  "clear of all": (world) => costOf(world, () => void clear(world)),
  "list of 1 over rows that a clear ended": (world) => {
    clear(world)
    return costOf(world, () => void world.shard.list("notes/", undefined, 1, start + 2))
  },
  "first snapshot": (world) => costOf(world, world.snapshot),
  "snapshot after 10 changes": async (world) => {
    await world.snapshot()
    for (let index = 0; index < 10; index++) world.put(Math.floor((index * world.size) / 10))
    return costOf(world, world.snapshot)
  },
  "sweep that finds nothing due": (world) => costOf(world, () => void world.shard.sweep(1000, start)),
  "expiry of all, each row": async (world) => {
    for (let index = 0; index < world.size; index++) world.put(index, 1000)
    const { kvBytes, kvWrites, millis, rowsRead, rowsWritten, stall } = await costOf(world, () => {
      for (let calls = 0; calls < world.size; calls++) {
        world.shard.sweep(1000, start + 2000)
        if (world.shard.stats().entries === 0) return
      }
    })
    const each = (cost: number): number => cost / world.size
    return {
      rowsRead: each(rowsRead),
      rowsWritten: each(rowsWritten),
      kvWrites: each(kvWrites),
      kvBytes: each(kvBytes),
      millis: each(millis),
      stall
    }
  }
}

const exponentOf = (costs: ReadonlyArray<number>): string => {
  const [least, most] = [costs[0]!, costs.at(-1)!]
  if (least === 0 || most === 0) return least === most ? "0" : "–"
  return (Math.log(most / least) / Math.log(sizes.at(-1)! / sizes[0]!)).toFixed(2)
}

const shown = (value: number): number => Number(value.toFixed(2))

const figures = ["rowsRead", "rowsWritten", "kvWrites", "kvBytes"] as const

const table: Record<string, Record<string, string | number>> = {}
for (const [name, measure] of Object.entries(operations)) {
  const costs: Array<Cost> = []
  for (const size of sizes) costs.push(await measure(worldOf(size)))
  const row: Record<string, string | number> = {}
  for (const figure of figures) {
    const values = costs.map((cost) => cost[figure])
    row[figure] = `${values.map(shown).join(" / ")} (^${exponentOf(values)})`
  }
  row["ms at the largest"] = shown(costs.at(-1)!.millis)
  row["longest turn, ms"] = shown(costs.at(-1)!.stall)
  table[name] = row
}
console.log(`${sizes.join(" / ")} entries of ${valueBytes} B; each figure at the three sizes, and its exponent`)
console.table(table)

/** Operations on the store that creating one more alert rule takes, where there are so many. */
const alertRuleCosts = (size: number): number => {
  const rules = new Map<string, unknown>()
  let touched = 0
  const repository = {
    list: () =>
      Effect.sync(() => {
        touched += rules.size
        return { keys: [...rules.keys()], cursor: undefined }
      }),
    getMany: () =>
      Effect.sync(() => {
        touched += rules.size
        return [...rules.values()].map(Option.some)
      }),
    set: (_: unknown, id: string, rule: unknown) => Effect.sync(() => void rules.set(id, rule))
  } as unknown as Repository["Type"]
  const store = AlertRulesStore.make(repository)
  const create = (index: number): void => {
    const rule = { id: `rule-${index}` } as AlertRule
    Effect.runSync(Effect.zipRight(store.isFull(Number.MAX_SAFE_INTEGER), store.create(rule)))
  }
  for (let index = 0; index < size; index++) create(index)
  touched = 0
  create(size)
  return touched
}
const touched = sizes.map(alertRuleCosts)
console.log(`Rules read to create one more alert rule: ${touched.join(" / ")} (^${exponentOf(touched)})`)
