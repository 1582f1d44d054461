import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import { Miniflare } from "miniflare"

// What a cold isolate costs, of the Worker as it is deployed. In Node: CPU of evaluating it, and of the first request of
// every kind, each in a process of its own, beside a Worker that is nothing but a bare Effect runtime, which tells how
// fast this machine is now. In workerd: the first request's time beside that of a trivial Worker.
// npm run bench -- start [rounds]

const rounds = Number(process.argv[2] ?? 7)
const run = promisify(execFile)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!
const fixed = (value: number): number => Number(value.toFixed(1))

const bare = `
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
const runtime = ManagedRuntime.make(Layer.empty)
export default { fetch: () => runtime.runPromise(Effect.succeed(new Response("kept"))) }`

const batch = JSON.stringify({ get: ["a", "b"] })

/** First requests by their mode of storage; those of applications, with the whole Worker alone. */
const kinds: ReadonlyArray<{
  readonly name: string
  readonly args: ReadonlyArray<string>
  readonly application?: true
}> = [
  { name: "hot GET, KV mode", args: ["kv", "GET", "/api/v1/cache/default/a"] },
  { name: "hot GET, durable mode", args: ["durable", "GET", "/api/v1/cache/default/a"] },
  { name: "DELETE of an entry", args: ["kv", "DELETE", "/api/v1/cache/default/a"] },
  { name: "batch", args: ["kv", "POST", "/api/v1/cache/default/batch", batch] },
  { name: "list", args: ["kv", "GET", "/api/v1/cache/default"] },
  { name: "ledger", args: ["kv", "GET", "/api/v1/ledger"] },
  { name: "health", args: ["kv", "GET", "/api/v1/data/health"] },
  { name: "symbols", args: ["kv", "GET", "/api/v1/data/symbols"], application: true },
  { name: "quotes", args: ["kv", "GET", "/api/v1/quotes?symbols=AAPL"], application: true },
  { name: "sectors", args: ["kv", "GET", "/api/v1/sectors/snapshot"], application: true }
]

const folder = mkdtempSync(join(tmpdir(), "larder-start-"))
writeFileSync(join(folder, "package.json"), `{"type":"module"}`)

/** What would be uploaded. */
const deployed = async (environment: string): Promise<string> => {
  const out = join(folder, environment || "worker")
  const wrangler = here("../node_modules/wrangler/bin/wrangler.js")
  await run(process.execPath, [wrangler, "deploy", `--env=${environment}`, "--dry-run", "--minify", "--outdir", out], {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CI: "true" }
  })
  return out
}

/** Its main module, for Node, which has no `cloudflare:workers`. */
const forNode = (folder: string, main: string): string => {
  const stub =
    "data:text/javascript,export class DurableObject{};export class WorkerEntrypoint{};export class RpcTarget{}"
  for (const file of readdirSync(folder).filter((file) => file.endsWith(".js"))) {
    const path = join(folder, file)
    writeFileSync(path, readFileSync(path, "utf8").replaceAll('"cloudflare:workers"', JSON.stringify(stub)))
  }
  return join(folder, main)
}

/** Its modules for workerd, the main one first. */
const modulesOf = (folder: string, main: string) =>
  [main, ...readdirSync(folder).filter((file) => file.endsWith(".js") && file !== main)].map((file) => ({
    type: "ESModule" as const,
    path: file,
    contents: readFileSync(join(folder, file), "utf8")
  }))

type Modules = ReturnType<typeof modulesOf>

interface Cold {
  readonly evaluated: number
  readonly first: number
  readonly status: number
  readonly text: string
}

const cold = async (script: string, args: ReadonlyArray<string>): Promise<Cold> => {
  const { stdout } = await run(process.execPath, [here("start/coldStart.mjs"), script, ...args])
  const result = JSON.parse(stdout.trim().split("\n").at(-1)!) as Cold
  if (result.status >= 400) throw new Error(`${args.join(" ")}: ${result.status} ${result.text}`)
  return result
}

/** Milliseconds until a Worker that stands ready has answered its first request. */
const firstFetch = async (modules: Modules, path: string): Promise<number> => {
  const worker = new Miniflare({
    modules,
    compatibilityDate: "2026-03-01",
    compatibilityFlags: ["nodejs_compat"],
    bindings: { API_KEYS: "bench", MARKET_SOURCE: "sample", FEATURE_FLAG_DO_CACHE: "off" },
    cf: false,
    kvNamespaces: ["CACHE_KV"]
  })
  try {
    const url = new URL(path, await worker.ready)
    const before = performance.now()
    await (await fetch(url, { headers: { "X-API-KEY": "bench" } })).text()
    return performance.now() - before
  } finally {
    await worker.dispose()
  }
}

try {
  const { outputFiles } = await build({
    stdin: { contents: bare, resolveDir: here("..") },
    bundle: true,
    minify: true,
    format: "esm",
    write: false
  })
  const reference = join(folder, "bare.mjs")
  writeFileSync(reference, outputFiles[0]!.text)
  const larder = modulesOf(await deployed(""), "worker.js")
  const nodes = {
    worker: forNode(join(folder, "worker"), "worker.js"),
    core: forNode(await deployed("core"), "core.js")
  }

  const rows = new Map<string, { evaluated: Array<number>; first: Array<number> }>()
  const note = async (name: string, script: string, args: ReadonlyArray<string>): Promise<void> => {
    const { evaluated, first } = await cold(script, args)
    const row = rows.get(name) ?? { evaluated: [], first: [] }
    rows.set(name, { evaluated: [...row.evaluated, evaluated], first: [...row.first, first] })
  }
  for (let round = 0; round < rounds; round++) {
    await note("bare Effect runtime", reference, kinds[0]!.args)
    await note("cache alone, hot GET", nodes.core, kinds[0]!.args)
    for (const { args, name } of kinds) await note(name, nodes.worker, args)
  }
  console.log("\nCPU milliseconds in Node: least and median")
  console.table(
    Object.fromEntries(
      [...rows].map(([name, { evaluated, first }]) => [
        name,
        {
          "evaluating, least": fixed(Math.min(...evaluated)),
          "evaluating, median": fixed(median(evaluated)),
          "first request, least": fixed(Math.min(...first)),
          "first request, median": fixed(median(first))
        }
      ])
    )
  )

  const contents = `export default { fetch: () => new Response("kept") }`
  const trivial: Modules = [{ type: "ESModule", path: "trivial.js", contents }]
  const fetched: Record<string, Array<number>> = { trivial: [], "GET of an entry": [], health: [] }
  for (let round = 0; round < Math.min(rounds, 5); round++) {
    fetched.trivial!.push(await firstFetch(trivial, "/"))
    fetched["GET of an entry"]!.push(await firstFetch(larder, "/api/v1/cache/default/a"))
    fetched.health!.push(await firstFetch(larder, "/api/v1/data/health"))
  }
  console.log("\nMilliseconds of the first request in workerd: least and median")
  console.table(
    Object.fromEntries(
      Object.entries(fetched).map(([name, values]) => [
        name,
        { least: fixed(Math.min(...values)), median: fixed(median(values)) }
      ])
    )
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
