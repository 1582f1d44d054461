import autocannon from "autocannon"
import type { Miniflare } from "miniflare"
import { bundle, start } from "../test/support/miniflare.ts"

// Hot GET of a 1 KiB entry through four Workers on one local workerd each, in turn, round by round:
// Larder (KV mode), a Worker that only says `new Response`, one that says it with Larder's headers, and one that reads KV
// every time.
// npm run bench -- http [rounds] [seconds]

const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 4)
const value = "x".repeat(1024)

const bare = `const value = "x".repeat(1024); export default { fetch: () => new Response(value) }`
const withHeaders = (headers: Headers) => {
  const framing = ["content-length", "transfer-encoding"]
  const sent = Object.fromEntries([...headers].filter(([name]) => !framing.includes(name)))
  return `const value = "x".repeat(1024); const headers = ${JSON.stringify(sent)}; export default { fetch: () => new Response(value, { headers }) }`
}
const kvEveryTime = `export default { fetch: async (request, env) => new Response(await env.CACHE_KV.get("hot", "arrayBuffer")) }`

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

const run = async (url: string): Promise<{ readonly rps: number; readonly p99: number }> => {
  const result = await autocannon({ url, connections: 16, duration: seconds, headers: { "X-API-KEY": "bench" } })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} errors`)
  return { rps: result.requests.average, p99: result.latency.p99 }
}

const larder = start(await bundle(new URL("../src/entry/worker.ts", import.meta.url)), {
  API_KEYS: "bench",
  MARKET_SOURCE: "sample",
  FEATURE_FLAG_DO_CACHE: "off"
})
const workers: Record<string, Miniflare> = { larder, bare: start(bare), kv: start(kvEveryTime) }
try {
  const origin = await larder.ready
  const entry = new URL("/api/v1/cache/default/hot", origin).href
  const keep = { method: "PUT", body: value, headers: { "X-API-KEY": "bench", "Content-Type": "text/plain" } }
  await (await fetch(entry, keep)).text()
  const hit = await fetch(entry, { headers: { ...keep.headers, "Accept-Encoding": "identity" } })
  await hit.text()
  workers.headed = start(withHeaders(hit.headers))
  const urls: Record<string, string> = {
    larder: entry,
    bare: (await workers.bare!.ready).href,
    headed: (await workers.headed.ready).href,
    kv: (await workers.kv!.ready).href
  }
  const figures: Record<string, Array<{ readonly rps: number; readonly p99: number }>> = Object.fromEntries(
    Object.keys(workers).map((name) => [name, []])
  )
  await (await workers.kv!.getKVNamespace("CACHE_KV")).put("hot", value)
  for (let round = -1; round < rounds; round++) {
    for (const name of Object.keys(workers)) {
      if (name === "larder") await (await fetch(entry, keep)).text()
      const figure = await run(urls[name]!)
      if (round >= 0) figures[name]!.push(figure)
    }
  }
  const rps = (name: string) => median(figures[name]!.map((figure) => figure.rps))
  const p99 = (name: string) => median(figures[name]!.map((figure) => figure.p99))
  const pairwise = (other: string, of: "rps" | "p99", name = "larder") =>
    median(figures[name]!.map((figure, round) => figure[of] / figures[other]![round]![of]))
  console.table(
    Object.fromEntries(
      Object.keys(workers).map((name) => [name, { "requests/s": Math.round(rps(name)), "p99 ms": p99(name) }])
    )
  )
  console.log(
    `Larder / bare Worker: ${pairwise("bare", "rps").toFixed(2)} of its requests/s, ${pairwise("bare", "p99").toFixed(2)} of its p99`
  )
  console.log(
    `Bare Worker with Larder's headers / bare Worker: ${pairwise("bare", "rps", "headed").toFixed(2)} of its requests/s`
  )
  console.log(
    `Larder, its monitoring on / bare Worker with Larder's headers: ${pairwise("headed", "rps").toFixed(2)} of its requests/s`
  )
  console.log(
    `Larder / KV every time: ${pairwise("kv", "rps").toFixed(2)} of its requests/s, ${pairwise("kv", "p99").toFixed(2)} of its p99`
  )
  console.log(`Medians of ${rounds} rounds of ${seconds} s, 16 connections; ratios are medians of the rounds' own.`)
} finally {
  await Promise.all(Object.values(workers).map((worker) => worker.dispose()))
}
