import { createReadStream } from "node:fs"
import { basename } from "node:path"
import { createGunzip } from "node:zlib"
import { parse } from "csv-parse"
import { LRUCache } from "lru-cache"
import * as MemoryTierLru from "../src/layers/tiers/MemoryTierLru.ts"
import * as MemoryTierTinyLfu from "../src/layers/tiers/MemoryTierTinyLfu.ts"
import type { Observation } from "../src/services/store/model/Entry.ts"
import { slotBytes } from "../src/services/tiers/MemoryTier.ts"

/**
 * Hit ratios on traces (gzip CSV with the header `time,key,size,op[,session]`), the capacity being a percentage of the
 * slot bytes of all unique keys. `npx tsx bench/hitratio.ts trace.csv.gz … [1% 10% …]`
 */

interface Request {
  readonly id: string
  readonly op: string
  readonly bytes: number
}

interface Contender {
  readonly get: (id: string) => unknown
  readonly set: (id: string, bytes: number) => void
  readonly delete: (id: string) => void
}

const observation: Observation = { entry: undefined, readAt: 0 }
const retainUntil = Number.POSITIVE_INFINITY

const ours = (tier: ReturnType<typeof MemoryTierLru.make>): Contender => ({
  get: (id) => tier.get(id, 0),
  set: (id, bytes) => tier.set(id, observation, { bytes, retainUntil }, 0),
  delete: tier.delete
})

const contenders: Readonly<Record<string, (capacityBytes: number) => Contender>> = {
  TinyLfu: (capacityBytes) => ours(MemoryTierTinyLfu.make(capacityBytes)),
  Lru: (capacityBytes) => ours(MemoryTierLru.make(capacityBytes)),
  "lru-cache": (capacityBytes) => {
    const cache = new LRUCache<string, Observation>({
      maxSize: capacityBytes,
      maxEntrySize: Math.floor(capacityBytes / 4)
    })
    return {
      get: (id) => cache.get(id),
      set: (id, size) => cache.set(id, observation, { size }),
      delete: (id) => cache.delete(id)
    }
  }
}

const read = async (path: string): Promise<ReadonlyArray<Request>> => {
  const requests: Array<Request> = []
  for await (const row of createReadStream(path)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }))) {
    const id = `default/${row.key}`
    requests.push({ id, op: row.op, bytes: slotBytes(id, Number(row.size)) })
  }
  return requests
}

const uniqueBytes = (requests: ReadonlyArray<Request>): number => {
  const bytes = new Map<string, number>()
  for (const request of requests) if (!bytes.has(request.id)) bytes.set(request.id, request.bytes)
  return [...bytes.values()].reduce((sum, each) => sum + each, 0)
}

const hitRatio = (requests: ReadonlyArray<Request>, cache: Contender): number => {
  let reads = 0
  let hits = 0
  for (const { bytes, id, op } of requests) {
    if (op === "d") cache.delete(id)
    else if (op === "w") cache.set(id, bytes)
    else {
      reads++
      if (cache.get(id) !== undefined) hits++
      else cache.set(id, bytes)
    }
  }
  return hits / reads
}

const args = process.argv.slice(2)
const percentages = args.filter((arg) => arg.endsWith("%")).map((arg) => Number(arg.slice(0, -1)))
const paths = args.filter((arg) => !arg.endsWith("%"))
if (paths.length === 0 || percentages.some((percentage) => !(percentage > 0))) {
  console.error("usage: npx tsx bench/hitratio.ts TRACE.csv.gz … [N% …]")
  process.exit(2)
}

console.log(
  `${"trace".padEnd(28)}${["memory", ...Object.keys(contenders)].map((title) => title.padStart(11)).join("")}`
)
for (const path of paths) {
  const requests = await read(path)
  const total = uniqueBytes(requests)
  for (const percentage of percentages.length === 0 ? [1, 10] : percentages) {
    const ratios = Object.values(contenders).map((make) =>
      hitRatio(requests, make(Math.floor((total * percentage) / 100)))
    )
    const cells = [`${percentage} %`, ...ratios.map((ratio) => ratio.toFixed(4))]
    console.log(`${basename(path, ".csv.gz").padEnd(28)}${cells.map((cell) => cell.padStart(11)).join("")}`)
  }
}
