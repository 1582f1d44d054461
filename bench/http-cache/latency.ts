import { createServer } from "node:http"
import autocannon from "autocannon"
import { startWorker } from "./proxy.ts"

const rounds = 5
const seconds = 3
/** Milliseconds that the origin works on a response: a query and a template. */
const originMillis = 20

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

const measured = async (url: string) => {
  const result = await autocannon({ url, connections: 8, duration: seconds })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} errors`)
  return { p50: result.latency.p50, p99: result.latency.p99, rps: result.requests.average }
}

/** A hot resource of 10 KB behind an origin that takes a moment, through the same Worker with and without the cache. */
export const compareLatency = async (): Promise<void> => {
  const body = "0123456789".repeat(1024)
  let asked = 0
  const origin = createServer((_, response) => {
    asked++
    setTimeout(() => {
      response.setHeader("Cache-Control", "max-age=3600")
      response.setHeader("ETag", '"1"')
      response.end(body)
    }, originMillis)
  }).listen(0, "127.0.0.1")
  await new Promise((resolve) => origin.once("listening", resolve))
  const address = origin.address()
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  const workers = {
    "with the cache": await startWorker("./cachedWorker.ts", url),
    "without it": await startWorker("./plainWorker.ts", url)
  }
  try {
    const figures = Object.fromEntries(
      Object.keys(workers).map((name) => [name, [] as Array<Awaited<ReturnType<typeof measured>>>])
    )
    const requests: Record<string, number> = {}
    for (let round = -1; round < rounds; round++) {
      for (const [name, worker] of Object.entries(workers)) {
        const before = asked
        const figure = await measured(`${worker.url}/hot`)
        if (round < 0) continue
        figures[name]!.push(figure)
        requests[name] = (requests[name] ?? 0) + asked - before
      }
    }
    console.table(
      Object.fromEntries(
        Object.entries(figures).map(([name, own]) => [
          name,
          {
            "p50 ms": median(own.map(({ p50 }) => p50)),
            "p99 ms": median(own.map(({ p99 }) => p99)),
            "requests/s": Math.round(median(own.map(({ rps }) => rps))),
            "asked of the origin": requests[name]
          }
        ])
      )
    )
    console.log(
      `A body of 10 KB, an origin that takes ${originMillis} ms, 8 connections; medians of ${rounds} rounds of ${seconds} s.`
    )
  } finally {
    await Promise.all(Object.values(workers).map((worker) => worker.stop()))
    origin.close()
  }
}
