import { createHash, randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Miniflare, type WorkerOptions } from "miniflare"
import { bundle, moduleOf } from "../test/support/miniflare.ts"
import { watchMemory } from "./outage/workerdMemory.ts"

// How long it takes until an outage's parked writes are in their shards, and what workerd holds meanwhile.
// npx tsx bench/outageRecovery.ts [MiB] [on|off: the memory tier, which holds up to 50 MB of its own; bare: neither
// Larder nor any memory of what was written, but the same requests, objects and KV values]

const mebibyte = 1024 * 1024
const values = Number(process.argv[2] ?? 100)
const memoryTier = process.argv[3] ?? "on"
const shards = 3
const objects = Array.from({ length: shards }, (_, shard) => `shard-${shard}`)

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const entry = memoryTier === "bare" ? "./outage/bareWorker.ts" : "../test/support/durable/faultyWorker.ts"
const script = await bundle(new URL(entry, import.meta.url))
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
const inspectorPort = await freePort()
const platform = new Miniflare({
  workers: [worker("a"), worker("b")],
  cf: false,
  inspectorPort,
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

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const mib = (bytes: number) => (bytes / mebibyte).toFixed(0).padStart(4)

const isolates = ["a", "b"]
for (const isolate of isolates)
  for (let at = 0; at < 20; at++) await ask(isolate, "GET", `api/v1/cache/default/warm${at}`)
const memory = await watchMemory(inspectorPort, isolates)
const told: Array<string> = []
const tell = async (what: string) => {
  const [rss, ...each] = await memory.most()
  told.push(`${what.padEnd(32)} ${mib(rss!)} ${each.map((bytes) => mib(bytes).padStart(6)).join(" ")}`)
}
await tell("idle")

for (let at = 0; at < values; at++) {
  await ask("b", "PUT", `api/v1/cache/default/sound${at}`, new Uint8Array(randomBytes(mebibyte)))
}
await tell("while as many were written soundly")

await faults(objects)
const parked = new Map<string, string>()
const statuses = new Map<number, number>()
for (let at = 0; at < values; at++) {
  const value = new Uint8Array(randomBytes(mebibyte))
  const { status } = await ask("b", "PUT", `api/v1/cache/default/parked${at}`, value)
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  if (status === 202) parked.set(`parked${at}`, digest(value))
}
await tell("while they were parked")
await faults([])
const began = performance.now()
const used = memory.seconds()
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
const cpu = memory.seconds() - used
await tell("while they came to their shards")
memory.stop()
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
console.log(`MiB at most                    workerd  objects  writer\n${told.join("\n")}`)
await platform.dispose()
await rm(directory, { recursive: true })
process.exit(0)
