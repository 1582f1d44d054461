import { createHash, randomBytes } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Miniflare, type WorkerOptions } from "miniflare"
import { bundle, moduleOf } from "../test/support/miniflare.ts"

// How long it takes until an outage's parked writes are in their shards, and what workerd holds meanwhile.
// npx tsx bench/outageRecovery.ts [MiB] [on|off: the memory tier, which holds up to 50 MB of its own]

const mebibyte = 1024 * 1024
const values = Number(process.argv[2] ?? 100)
const memoryTier = process.argv[3] ?? "on"
const shards = 3
const objects = Array.from({ length: shards }, (_, shard) => `shard-${shard}`)

const script = await bundle(new URL("../test/support/durable/faultyWorker.ts", import.meta.url))
const directory = await mkdtemp(join(tmpdir(), "larder-outage-"))
const worker = (name: string): WorkerOptions => ({
  name,
  ...moduleOf(script),
  bindings: {
    API_KEYS: "test",
    FEATURE_FLAG_DO_CACHE: "on",
    SHARDS: `${shards}`,
    BREAKER_COOLDOWN: "1 seconds",
    MEMORY_TIER: memoryTier
  },
  kvNamespaces: { CACHE_KV: "cache", CACHE_DO_KV: "objects" },
  durableObjects: { CACHE_DO: { className: "CacheDurableObject", scriptName: "a", useSQLite: true } }
})
const platform = new Miniflare({
  workers: [worker("a"), worker("b")],
  cf: false,
  durableObjectsPersist: join(directory, "objects"),
  kvPersist: join(directory, "kv")
})
await platform.ready

const ask = async (isolate: string, method: string, path: string, body?: string | Uint8Array) => {
  const headers = { "X-API-KEY": "test", ...(typeof body === "string" && { "Content-Type": "application/json" }) }
  return (await platform.getWorker(isolate)).fetch(`http://larder.test/${path}`, {
    method,
    headers,
    ...(body && { body })
  })
}

const faults = (away: ReadonlyArray<string>) => ask("b", "PUT", "faults", JSON.stringify({ away }))

/** The workerd that this process has started. */
const pid = readdirSync("/proc").find((name) => {
  if (!/^\d+$/.test(name)) return false
  try {
    const status = readFileSync(`/proc/${name}/status`, "utf8")
    return /^Name:\s+workerd/m.test(status) && status.includes(`PPid:\t${process.pid}\n`)
  } catch {
    return false
  }
})

const workerdBytes = (): number =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)

/** Seconds of CPU that it has used: what a machine that has nothing else to do takes at least. */
const workerdSeconds = (): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const mib = (bytes: number) => `${(bytes / mebibyte).toFixed(0)} MiB`

for (const isolate of ["a", "b"])
  for (let at = 0; at < 20; at++) await ask(isolate, "GET", `api/v1/cache/default/warm${at}`)
const idle = workerdBytes()
let most = idle
const sampling = setInterval(() => {
  most = Math.max(most, workerdBytes())
}, 50)

for (let at = 0; at < values; at++) {
  await ask("b", "PUT", `api/v1/cache/default/sound${at}`, new Uint8Array(randomBytes(mebibyte)))
}
const whileSound = most

await faults(objects)
const parked = new Map<string, string>()
const statuses = new Map<number, number>()
for (let at = 0; at < values; at++) {
  const value = new Uint8Array(randomBytes(mebibyte))
  const { status } = await ask("b", "PUT", `api/v1/cache/default/parked${at}`, value)
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  if (status === 202) parked.set(`parked${at}`, digest(value))
}
const whileParked = most
await faults([])
const began = performance.now()
const used = workerdSeconds()
await new Promise((resume) => setTimeout(resume, 1100))
// What anyone asks of each shard is what the parked writes follow behind.
const left = new Set(parked.keys())
let wrong = 0
let longest = 0
for (let round = 0; left.size > 0 && round < 300; round++) {
  const asked = performance.now()
  for (let at = 0; at < 8; at++) await ask("b", "GET", `api/v1/cache/default/other${round}-${at}`)
  longest = Math.max(longest, (performance.now() - asked) / 8)
  // A list tells what the shards have, and brings no values into the memory that is measured.
  const listed = await ask("a", "GET", "api/v1/cache/default?prefix=parked&limit=1000")
  for (const { key } of ((await listed.json()) as { keys: Array<{ key: string }> }).keys) left.delete(key)
}
const seconds = (performance.now() - began) / 1000
const cpu = workerdSeconds() - used
clearInterval(sampling)
for (const [key, expected] of parked) {
  const response = await ask("a", "GET", `api/v1/cache/default/${key}`)
  if (digest(new Uint8Array(await response.arrayBuffer())) !== expected) wrong += 1
}
console.log(
  `${values} writes of 1 MiB in an outage: ${[...statuses].map(([status, times]) => `${status} ${times} times`)}`
)
console.log(
  `in their shards ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of CPU) after the objects' return; a read meanwhile ${longest.toFixed(0)} ms`
)
console.log(`lost ${wrong}, not there ${left.size}`)
console.log(
  `workerd: idle ${mib(idle)}, most after as many sound writes ${mib(whileSound)}, while they were parked ${mib(whileParked)}, most in all ${mib(most)}`
)
await platform.dispose()
await rm(directory, { recursive: true })
