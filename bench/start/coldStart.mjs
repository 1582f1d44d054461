// A cold isolate in Node: evaluates a built Worker, answers one request, and prints the CPU that each took.
// node bench/start/coldStart.mjs WORKER.js kv|durable METHOD PATH [BODY]
import { readFileSync } from "node:fs"
import { pathToFileURL } from "node:url"

const [, , script, mode, method, path, body] = process.argv

/** CPU milliseconds of this thread so far: other processes on the machine do not count, compilation and collection do. */
const cpu = () => Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6

const cpuOf = async (work) => {
  const before = cpu()
  const result = await work()
  return { result, millis: cpu() - before }
}

const kept = new TextEncoder().encode("kept").buffer

/** A namespace in which every key has a value. */
const namespace = {
  get: async (keys) => (Array.isArray(keys) ? new Map(keys.map((key) => [key, "kept"])) : kept.slice(0)),
  getWithMetadata: async (keys) =>
    Array.isArray(keys)
      ? new Map(keys.map((key) => [key, { value: "kept", metadata: null }]))
      : { value: kept.slice(0), metadata: null, cacheStatus: null },
  put: async () => {},
  delete: async () => {},
  list: async () => ({ keys: [], list_complete: true, cacheStatus: null })
}

const empty = { ...namespace, get: async () => null, getWithMetadata: async () => ({ value: null, metadata: null }) }

const edge = { match: async () => undefined, put: async () => {}, delete: async () => false }
globalThis.caches = { default: edge, open: async () => edge }

/** One object, which holds every entry. */
const object = {
  getMany: async (ids) => ({
    _tag: "Answered",
    billed: { requests: 0, rowsRead: ids.length, rowsWritten: 0 },
    answer: Array.from(ids, () => ({
      value: new Uint8Array(kept.slice(0)),
      contentType: "text/plain",
      tags: [],
      stamp: { wall: 1, counter: 0, writer: "bench" },
      expiresAt: Number.POSITIVE_INFINITY,
      loadMillis: 0
    }))
  }),
  carrying: async (_, method, args) => object[method](...args)
}
const objects = { getByName: () => object }

const env = {
  API_KEYS: "bench",
  MARKET_SOURCE: "sample",
  CACHE_KV: namespace,
  KV: namespace,
  FEATURE_FLAG_DO_CACHE: mode === "durable" ? "on" : "off",
  ...(mode === "durable" ? { CACHE_DO: objects, CACHE_DO_KV: empty } : {})
}

const post = { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }
const requestOf = () =>
  new Request(`https://larder.example${path}`, {
    method,
    headers: { "X-API-KEY": "bench", ...(body === undefined ? {} : post.headers) },
    ...(body === undefined ? {} : { body })
  })

// What Node loads for the first request, response and body ever is not the Worker's.
await new Response(await new Request("https://larder.example/", post).text(), { headers: { a: "b" } }).text()

const { millis: evaluated, result: worker } = await cpuOf(() => import(pathToFileURL(script).href))
const answer = async () => {
  const response = await worker.default.fetch(requestOf(), env, { waitUntil: () => {} })
  return { status: response.status, text: await response.text() }
}
const { millis: first, result } = await cpuOf(answer)
console.log(JSON.stringify({ evaluated, first, status: result.status, text: result.text.slice(0, 200) }))
