import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { extname } from "node:path"
import { fileURLToPath } from "node:url"
import { Miniflare } from "miniflare"
import { statementsOf } from "../test/support/files/statements.ts"
import { bundle, moduleOf } from "../test/support/miniflare.ts"

/**
 * The file application in workerd over a local R2: bytes that storing compressed saves, links signed and given again,
 * R2 operations a request, and a hot file with and without the HTTP cache in front. `npm run bench -- files`
 */

const migration = ["0001_files", "0002_users"].flatMap((name) =>
  statementsOf(readFileSync(new URL(`../migrations/${name}.sql`, import.meta.url), "utf8"))
)
const script = await bundle(new URL("./files/filesWorker.ts", import.meta.url))
const runtime = new Miniflare({
  ...moduleOf(script),
  bindings: { API_KEYS: "bench" },
  cf: false,
  kvNamespaces: ["CACHE_KV", "CACHE_DO_KV"],
  durableObjects: { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } },
  r2Buckets: ["FILES"],
  d1Databases: ["DB"]
})

const types: Readonly<Record<string, string>> = {
  ".md": "text/markdown",
  ".js": "text/javascript",
  ".json": "application/json",
  ".css": "text/css",
  ".html": "text/html",
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".gz": "application/gzip",
  ".node": "application/octet-stream"
}

/** Of every kind, files of node_modules by path, up to so many bytes. */
const kindBytes = 2_000_000
const maxFileBytes = 20_000_000

const filesOf = (extension: string): ReadonlyArray<Buffer> => {
  const root = fileURLToPath(new URL("../node_modules", import.meta.url))
  const arguments_ = [root, "-name", `*${extension}`, "-type", "f", "-size", "-40000"]
  const found = execFileSync("find", arguments_, { encoding: "utf8", maxBuffer: 2 ** 28 })
  const files: Array<Buffer> = []
  let bytes = 0
  for (const file of found.trim().split("\n").sort()) {
    if (bytes >= kindBytes || file === "") break
    const content = readFileSync(file)
    if (content.byteLength > maxFileBytes) continue
    files.push(content)
    bytes += content.byteLength
  }
  return files
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

try {
  const base = (await runtime.ready).origin
  const database = await runtime.getD1Database("DB")
  for (const statement of migration) await database.prepare(statement).run()
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = { "X-API-KEY": "bench", ...(init.headers as Record<string, string>) }
    const answer = await fetch(base + path, { ...init, headers })
    if (!answer.ok && answer.status !== 304) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }

  const rows: Array<Record<string, unknown>> = []
  const totals = { bytes: 0, stored: 0 }
  for (const extension of Object.keys(types)) {
    const kind = { files: 0, bytes: 0, stored: 0 }
    for (const [i, content] of filesOf(extension).entries()) {
      const body = new Uint8Array(content)
      const headers = { "Content-Type": types[extension]! }
      const answer = await send(`/api/v1/files/set/${i}${extension}`, { method: "PUT", body, headers })
      kind.files += 1
      kind.bytes += content.byteLength
      kind.stored += Number(answer.headers.get("Larder-Stored-Bytes"))
    }
    totals.bytes += kind.bytes
    totals.stored += kind.stored
    rows.push({
      kind: extname(`x${extension}`),
      ...kind,
      saved: `${(100 * (1 - kind.stored / kind.bytes)).toFixed(1)} %`
    })
  }
  console.log("\nStored bytes, files of node_modules by path, up to 2 MB a kind")
  console.table(rows)
  console.log(`all: ${(100 * (1 - totals.stored / totals.bytes)).toFixed(1)} % of ${totals.bytes} bytes saved`)

  const rounds = 25
  const time = async (path: string, init: RequestInit = {}): Promise<number> => {
    const before = performance.now()
    await (await send(path, init)).arrayBuffer()
    return performance.now() - before
  }
  const spent = { none: [] as Array<number>, signed: [] as Array<number>, reused: [] as Array<number> }
  for (let round = 0; round < rounds; round++) {
    spent.none.push(await time("/bench/links/0/0"))
    spent.signed.push(await time(`/bench/links/${1000 * (round % 8)}${round}/1000`))
    spent.reused.push(await time(`/bench/links/${1000 * (round % 8)}${round}/1000`))
  }
  const [signed, reused] = [median(spent.signed) - median(spent.none), median(spent.reused) - median(spent.none)]
  console.log("\n1,000 links in workerd, medians of 25, less the time of a request for none")
  console.table([
    { what: "signed", ms: Number(signed.toFixed(1)) },
    { what: "given again", ms: Number(reused.toFixed(1)), saved: `${(100 * (1 - reused / signed)).toFixed(0)} %` }
  ])

  const csv = "time,key,size,op\n".repeat(60_000)
  const noise = Uint8Array.from({ length: 9_000_000 }, () => Math.floor(Math.random() * 256))
  const put = (path: string, body: string | Uint8Array<ArrayBuffer>, type: string) =>
    send(path, { method: "PUT", body, headers: { "Content-Type": type } })
  await put("/api/v1/files/plain", noise.slice(0, 50_000), "image/png")
  const operations: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
    ["PUT, 1 MB of CSV", () => put("/api/v1/files/hot.csv", csv, "text/csv")],
    ["PUT, 9 MB that do not compress", () => put("/api/v1/files/large", noise, "image/png")],
    ["GET, whole", () => time("/api/v1/files/hot.csv")],
    [
      "GET, part of a compressed file",
      () => time("/api/v1/files/hot.csv", { headers: { Range: "bytes=500000-500099" } })
    ],
    ["GET, part of a plain file", () => time("/api/v1/files/plain", { headers: { Range: "bytes=100-199" } })],
    ["GET, not modified", () => time("/api/v1/files/plain", { headers: { "If-None-Match": "*" } })],
    ["HEAD", () => time("/api/v1/files/hot.csv", { method: "HEAD" })],
    ["list", () => time("/api/v1/files")],
    ["DELETE", () => time("/api/v1/files/large", { method: "DELETE" })]
  ]
  const countsOf = async () => (await (await send("/bench/counts")).json()) as Record<string, number>
  const billed: Array<Record<string, unknown>> = []
  for (const [what, run] of operations) {
    const before = await countsOf()
    await run()
    const after = await countsOf()
    billed.push({ request: what, "class A": after.classA! - before.classA!, "class B": after.classB! - before.classB! })
  }
  console.log("\nR2 operations a request")
  console.table(billed)

  const shared = await send("/api/v1/storage/shares", {
    method: "POST",
    body: JSON.stringify({ key: "hot.csv", expiresIn: 3600 }),
    headers: { "Content-Type": "application/json" }
  })
  const link = new URL(((await shared.json()) as { readonly url: string }).url).pathname
  const ways: Readonly<Record<string, RequestInit>> = {
    without: {},
    "with the HTTP cache": { headers: { "X-Cached": "yes" } }
  }
  const hot: Record<string, Array<number>> = { without: [], "with the HTTP cache": [] }
  for (const init of Object.values(ways)) for (let i = 0; i < 20; i++) await time(link, init)
  for (let round = 0; round < 150; round++) {
    for (const [name, init] of Object.entries(ways)) hot[name]!.push(await time(link, init))
  }
  const [without, withCache] = [median(hot.without!), median(hot["with the HTTP cache"]!)]
  console.log("\nA hot file of 1 MB by its share link, median of 150 requests in turn")
  console.table([
    { "HTTP cache": "without", ms: Number(without.toFixed(2)) },
    {
      "HTTP cache": "with",
      ms: Number(withCache.toFixed(2)),
      saved: `${(100 * (1 - withCache / without)).toFixed(0)} %`
    }
  ])
} finally {
  await runtime.dispose()
}
