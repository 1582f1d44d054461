import autocannon from "autocannon"
import type { Miniflare } from "miniflare"
import { bundled, deployed } from "../test/support/deployed.ts"
import { start } from "../test/support/miniflare.ts"

// Durable get and set beside a Worker that reads and writes KV directly, memory and edge off, in turn, round by round:
// time as ratios, and what each operation bills from the ledger and the object's own counters.
// npm run bench -- durable [rounds] [seconds]

const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 3)
const body = "x".repeat(1024)
const headers = { "X-API-KEY": "test", "Content-Type": "text/plain" }

const directly = `export default { fetch: async (request, env) => {
  const key = new URL(request.url).pathname
  if (request.method === "PUT") return new Response(null, { status: 201, headers: { done: String(await env.CACHE_KV.put(key, await request.arrayBuffer())) } })
  return new Response(await env.CACHE_KV.get(key, "arrayBuffer"))
} }`

interface Ledger {
  readonly total: { readonly durableObject: Record<string, number>; readonly kv: Record<string, number> }
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

const larder = deployed(await bundled(), {
  FEATURE_FLAG_DO_CACHE: "on",
  COLLECTIONS: '{"raw": {"memoryTtl": 0, "edgeTtl": 0}}'
})
const direct: Miniflare = start(directly)

const origins = { durable: new URL("/api/v1/cache/raw/", await larder.ready).href, direct: (await direct.ready).href }
let written = 0
const run = async (name: "durable" | "direct", method: "PUT" | "GET") => {
  const result = await autocannon({
    url: `${origins[name]}hot`,
    connections: 8,
    duration: seconds,
    method,
    headers,
    ...(method === "PUT"
      ? {
          requests: [
            {
              method,
              headers,
              setupRequest: (request: object) => ({
                ...request,
                path: new URL(`${origins[name]}k${written++ % 5000}`).pathname,
                body: `${body}${written}`
              })
            }
          ]
        }
      : {})
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${name} ${method}: ${result.non2xx} refused, ${result.errors} errors`)
  return { rps: result.requests.average, p99: result.latency.p99, requests: result.requests.total }
}
const ledger = async (): Promise<Ledger["total"]> =>
  ((await (await fetch(new URL("/api/v1/ledger", await larder.ready), { headers })).json()) as Ledger).total

try {
  for (const origin of Object.values(origins)) await fetch(`${origin}hot`, { method: "PUT", body, headers })
  for (const method of ["PUT", "GET"] as const) {
    const ratios: Array<number> = []
    const tails: Array<number> = []
    const before = await ledger()
    let requests = 0
    for (let round = 0; round < rounds; round++) {
      const durable = await run("durable", method)
      const plain = await run("direct", method)
      ratios.push(durable.rps / plain.rps)
      tails.push(durable.p99 / plain.p99)
      requests += durable.requests
    }
    const after = await ledger()
    const per = (kind: string) => ((after.durableObject[kind]! - before.durableObject[kind]!) / requests).toFixed(3)
    const kv = Object.keys(after.kv).reduce((sum, kind) => sum + after.kv[kind]! - before.kv[kind]!, 0)
    console.log(
      `${method}: ${median(ratios).toFixed(2)} of direct KV's requests/s, ${median(tails).toFixed(2)} of its p99; ` +
        `per operation ${per("requests")} object requests, ${per("rowsRead")} rows read, ${per("rowsWritten")} rows written, ` +
        `${(kv / requests).toFixed(3)} KV operations (direct: 1)`
    )
  }
  console.log(
    `Medians of ${rounds} rounds of ${seconds} s, 8 connections, 1 KiB values, local workerd: no network between.`
  )
} finally {
  await Promise.all([larder.dispose(), direct.dispose()])
}
