import { execFile, execFileSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, resolve } from "node:path"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { Miniflare } from "miniflare"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { deployed, bundled as workerBundle } from "../../support/deployed.ts"

const root = resolve(import.meta.dirname, "../../..")
const bin = (name: string): string => join(root, "node_modules/.bin", name)

/** An empty project that has installed the package as `npm pack` makes it, and the platform's types. */
let project = ""
let tarball = ""

const run = (command: string, args: ReadonlyArray<string>, cwd = project): string => {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
  } catch (error) {
    const { stderr, stdout } = error as { readonly stdout: string; readonly stderr: string }
    throw new Error(`${stdout}\n${stderr}`)
  }
}

/** The one that runs the tests, whatever else lies in node_modules/.bin. */
const npm = (args: ReadonlyArray<string>): string => {
  const script = process.env.npm_execpath
  return script === undefined ? run("npm", args, root) : run(process.execPath, [script, ...args], root)
}

const worker = `
import { withLarder, kvNamespace, cached, larderStats } from "larder-kv"

interface Env { readonly KV: KVNamespace }

export default withLarder({
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const path = new URL(request.url).pathname
    if (path === "/stats") return Response.json(larderStats(env.KV))
    if (path === "/cached") return Response.json(await cached(env.KV, ctx, "made", async () => ({ made: 1 }), { ttl: 300 }))
    const again: KVNamespace = kvNamespace(env.KV, ctx)
    if (request.method === "PUT") await again.put(path, request.body ?? "")
    const { value, metadata } = await env.KV.getWithMetadata<{ n: number }>(path)
    return Response.json({ value, metadata })
  }
} satisfies ExportedHandler<Env>)
`

const durableWorker = `
export { CacheDurableObject } from "larder-kv/durable"
import { durable } from "larder-kv/durable"
import { larder, withLarder } from "larder-kv"
export default withLarder({
  async fetch(request: Request, env: { readonly KV: KVNamespace }): Promise<Response> {
    await env.KV.put("n", String(Number(await env.KV.get("n")) + 1), { metadata: { at: 1 } })
    const { billed, durableObject } = larder.ledger().byNamespace.KV!
    return Response.json({ n: await env.KV.get("n"), keys: (await env.KV.list()).keys, billed, durableObject })
  }
} satisfies ExportedHandler<{ readonly KV: KVNamespace }>, { store: durable() })
`

const entriesWorker = `
import { Keyv } from "./keyv-type.ts"
import { cachifiedCache } from "larder-kv/cachified"
import { keyvStore } from "larder-kv/keyv"
import { counter, honoStore, rateLimit } from "larder-kv/limits"
import { incrementalCache, tagCache } from "larder-kv/opennext"
import { larderEntrypoint } from "larder-kv/rpc"
import { larderDriver } from "larder-kv/unstorage"

interface Env { readonly KV: KVNamespace; readonly CACHE_DO: DurableObjectNamespace }

export class Larder extends larderEntrypoint({ binding: "KV" }) {}
export const openNext = { incrementalCache: incrementalCache(), tagCache: tagCache({ cacheTtl: 5 }) }

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { allowed } = await rateLimit(env.CACHE_DO, "ip", { limit: 1, window: 60 })
    const visits: number = await counter(env.CACHE_DO, "visits").add()
    const keyv = new Keyv({ store: keyvStore(env.KV) })
    const parts = [larderDriver(env.KV).name, cachifiedCache(env.KV).name, honoStore(env.CACHE_DO).prefix]
    return Response.json([allowed, visits, await keyv.get(request.url), parts])
  }
} satisfies ExportedHandler<Env>
`

const partsWorker = `
import { compression } from "larder-kv/compression"
import { queryCache } from "larder-kv/database"
import { objectStore, presigner } from "larder-kv/files"
export { DatabaseDurableObject } from "larder-kv/database"

interface Env { readonly DB: D1Database; readonly BUCKET: R2Bucket }

const { compress, decompress } = compression()

export default {
  async fetch(_request: Request, env: Env): Promise<Response> {
    const text = new TextEncoder().encode("abc ".repeat(1000))
    const { bytes, coding } = compress(text, { contentType: "text/plain", use: "inline" })
    const back = decompress(bytes, coding, 10_000)
    let reason = ""
    try { decompress(bytes, coding, 10) } catch (error) { reason = (error as { reason: string }).reason }
    const db = queryCache(env.DB)
    await env.DB.exec("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
    await db.write([{ sql: "INSERT INTO t VALUES (?)", bound: [7] }])
    const ask = () => db.read<{ n: number }>({ sql: "SELECT n FROM t" }, { kind: "isolate", ttl: 60_000 })
    const [first, second] = [await ask(), await ask()]
    const credentials = { endpoint: "https://a.r2.cloudflarestorage.com", bucket: "b", accessKeyId: "k", secretAccessKey: "s" }
    const [link] = await presigner(credentials).presign([{ method: "GET", key: "a b.txt", expiresIn: 60 }])
    const objects = objectStore(env.BUCKET)
    const put = await objects.put("a", text, { contentType: "text/plain", limit: 10_000 })
    const part = await objects.get("a", { offset: 4, length: 3 })
    let outside = ""
    try { await objects.get("a", { offset: 4000 }) } catch (error) { outside = (error as Error).name }
    let refused = ""
    try { await objects.put("a", text, { contentType: "text/plain", limit: 10 }) } catch (error) { refused = (error as { reason: string }).reason }
    const stored = [put.bytes, put.storedBytes < 400, await new Response(part!.body).text(), outside, refused]
    await objects.delete(["a"])
    return Response.json({
      stored, gone: await objects.get("a"), smaller: bytes.byteLength < 400, same: back.byteLength === text.byteLength, reason,
      rows: second.rows, asked: [first.rowsRead > 0, second.rowsRead], link: link!.url.split("?")[0]
    })
  }
} satisfies ExportedHandler<Env>
`

const client = `
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { make } from "larder-kv/client"

const program = Effect.gen(function* () {
  const client = yield* make({ baseUrl: process.argv[2], apiKey: Redacted.make("test") })
  const path = { collection: "default", key: "a b/c" }
  const put = yield* client.entries.put({
    path, urlParams: {}, headers: { "content-type": "text/plain" }, payload: new TextEncoder().encode("hello")
  })
  const read = new TextDecoder().decode(yield* client.entries.get({ path, headers: {} }))
  const { get } = yield* client.cache.batch({ path: { collection: "default" }, payload: { get: ["a b/c", "none"] } })
  const refused = yield* Effect.flip(client.entries.get({ path: { collection: "none", key: "a" }, headers: {} }))
  return { put, read, batch: get.map(({ status }) => status), refused: refused._tag + " " + refused.status }
})
console.log(JSON.stringify(await Effect.runPromise(Effect.provide(program, FetchHttpClient.layer))))
`

/** As much of Keyv as the store is checked against, so that the consumer installs one package and nothing else. */
const keyvType = `
export declare class Keyv {
  constructor(options: { readonly store: { get(key: string): Promise<unknown>; set(key: string, value: unknown): unknown } })
  get(key: string): Promise<unknown>
}
`

const optionsFor = (moduleResolution: string) => ({
  target: "ES2022",
  lib: ["ES2022"],
  module: moduleResolution === "nodenext" ? "nodenext" : "esnext",
  moduleResolution,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  allowImportingTsExtensions: true,
  types: ["@cloudflare/workers-types"]
})

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "larder-package-"))
  const [packed] = JSON.parse(npm(["pack", "--json", "--pack-destination", project]).replace(/^[^[]*/, "")) as [
    { readonly filename: string }
  ]
  tarball = join(project, packed.filename)
  const modules = join(project, "node_modules")
  mkdirSync(join(modules, "larder-kv"), { recursive: true })
  run("tar", ["-xzf", tarball, "--strip-components=1", "-C", join(modules, "larder-kv")])
  mkdirSync(join(modules, "@cloudflare"))
  symlinkSync(join(root, "node_modules/@cloudflare/workers-types"), join(modules, "@cloudflare/workers-types"))
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }))
  writeFileSync(join(project, "worker.ts"), worker)
  writeFileSync(join(project, "durable.ts"), durableWorker)
  writeFileSync(join(project, "entries.ts"), entriesWorker)
  writeFileSync(join(project, "parts.ts"), partsWorker)
  writeFileSync(join(project, "keyv-type.ts"), keyvType)
})

afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

describe("the package as it is published", () => {
  it("holds the built entry points and no dependency", () => {
    const manifest = JSON.parse(readFileSync(join(project, "node_modules/larder-kv/package.json"), "utf8"))
    expect(manifest.dependencies ?? {}).toEqual({})
    expect(manifest.private).toBe(undefined)
    expect(readdirSync(join(project, "node_modules/larder-kv")).sort()).toEqual([
      "LICENSE",
      "README.md",
      "dist",
      "package.json"
    ])
    const files = readdirSync(join(project, "node_modules/larder-kv/dist"), { recursive: true, encoding: "utf8" })
    expect(files.filter((name) => /internal|src|test/.test(name))).toEqual([])
  })

  it("is clean to publint", async () => {
    const { messages, pkg } = await publint({ pkgDir: join(project, "node_modules/larder-kv"), pack: false })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })

  it("is clean to attw", () => {
    run(bin("attw"), [tarball, "--profile", "esm-only", "--no-emoji"])
  })

  it.each([
    "bundler",
    "nodenext"
  ])("types strictly, libraries checked, with moduleResolution %s", (moduleResolution) => {
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: optionsFor(moduleResolution),
        files: ["worker.ts", "durable.ts", "entries.ts", "parts.ts"]
      })
    )
    run(bin("tsc"), ["-p", "."])
  })

  describe("the snippets of the documents for those who take the package", () => {
    const pages = ["README.md", "docs/getting-started.md", "docs/migrating.md", "docs/package.md"]
    const snippets = pages.flatMap((page) =>
      [...readFileSync(join(root, page), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code], index) => ({
        name: `${page.replace(/\W/g, "-")}-${index}`,
        code: code!
      }))
    )
    let own = ""

    beforeAll(() => {
      own = join(project, "snippets")
      const modules = join(own, "node_modules")
      mkdirSync(join(modules, "@opennextjs/cloudflare"), { recursive: true })
      cpSync(join(project, "node_modules/larder-kv"), join(modules, "larder-kv"), { recursive: true })
      // As much of it as the configuration needs.
      writeFileSync(
        join(modules, "@opennextjs/cloudflare/package.json"),
        JSON.stringify({
          name: "@opennextjs/cloudflare",
          type: "module",
          exports: { types: "./i.d.ts", default: "./i.js" }
        })
      )
      writeFileSync(join(modules, "@opennextjs/cloudflare/i.js"), "export const defineCloudflareConfig = (it) => it")
      writeFileSync(
        join(modules, "@opennextjs/cloudflare/i.d.ts"),
        "export declare const defineCloudflareConfig: <A>(it: A) => A"
      )
      for (const name of [
        "@cloudflare/workers-types",
        "@epic-web/cachified",
        "effect",
        "@effect/platform",
        "keyv",
        "unstorage"
      ]) {
        mkdirSync(join(modules, name, ".."), { recursive: true })
        symlinkSync(join(root, "node_modules", name), join(modules, name))
      }
      writeFileSync(join(own, "package.json"), JSON.stringify({ type: "module" }))
      for (const { code, name } of snippets) writeFileSync(join(own, `${name}.ts`), code)
    })

    it("compile", () => {
      expect(snippets.length).toBeGreaterThan(15)
      writeFileSync(
        join(own, "tsconfig.json"),
        JSON.stringify({
          compilerOptions: { ...optionsFor("bundler"), lib: ["ES2022", "ESNext.Disposable"], skipLibCheck: true },
          files: snippets.map(({ name }) => `${name}.ts`)
        })
      )
      run(bin("tsc"), ["-p", "."], own)
    })

    it("run, and answer a second request as the first", async () => {
      const bundled = await build({
        absWorkingDir: own,
        entryPoints: snippets.map(({ name }) => `${name}.ts`),
        outdir: "out",
        bundle: true,
        format: "esm",
        target: "es2022",
        conditions: ["workerd", "worker"],
        write: false,
        external: ["node:*", "cloudflare:*"]
      })
      const scripts = new Map(bundled.outputFiles.map(({ path, text }) => [basename(path, ".js"), text]))
      const objects = { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } }
      const entrypoint = snippets.find(({ code }) => code.includes("class Larder"))!.name
      const workers = snippets
        .filter(({ code }) => !code.includes("@opennextjs"))
        .map(({ code, name }) => ({
          name,
          modules: [{ type: "ESModule" as const, path: `${name}.js`, contents: scripts.get(name)! }],
          compatibilityDate: "2025-09-01",
          compatibilityFlags: ["nodejs_compat"],
          kvNamespaces: { KV: name, CACHE_KV: `${name}-c` },
          d1Databases: { DB: name },
          r2Buckets: { BUCKET: name },
          ...(code.includes("CacheDurableObject") ? { durableObjects: objects } : {}),
          ...(code.includes("LARDER")
            ? { serviceBindings: { LARDER: { name: entrypoint, entrypoint: "Larder" } } }
            : {})
        }))
      const miniflare = new Miniflare({ workers, cf: false })
      try {
        for (const { name } of workers) {
          const worker = await miniflare.getWorker(name)
          for (let request = 0; request < 2; request++) {
            const answer = await worker.fetch("http://worker/")
            expect([name, answer.status, (await answer.text()).length > 0]).toEqual([name, 200, true])
          }
        }
      } finally {
        await miniflare.dispose()
      }
    })
  })

  it("has every entry point that a document names", () => {
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly exports: object }
    const documents = [
      "README.md",
      ...readdirSync(join(root, "docs"))
        .filter((it) => it.endsWith(".md"))
        .map((it) => `docs/${it}`)
    ]
    const named = documents.flatMap((page) =>
      [...readFileSync(join(root, page), "utf8").matchAll(/[`"]larder-kv(\/[a-z/-]+)?[`"]/g)].map(
        ([, path = ""]) => path
      )
    )
    expect(named.length).toBeGreaterThan(30)
    for (const path of named) expect(Object.keys(exports)).toContain(`.${path}`)
  })

  it("turns a Worker's namespace into one that saves, by one line", async () => {
    const bundled = await build({
      absWorkingDir: project,
      entryPoints: ["worker.ts"],
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
      external: ["node:*", "cloudflare:*"]
    })
    const script = bundled.outputFiles[0]!.text
    const miniflare = new Miniflare({
      modules: true,
      script,
      compatibilityDate: "2024-11-01",
      kvNamespaces: ["KV"],
      cf: false
    })
    try {
      const at = (path: string, init?: { method: string; body: string }) =>
        miniflare.dispatchFetch(`http://worker${path}`, init)
      expect(await (await at("/greeting", { method: "PUT", body: "hello" })).json()).toEqual({
        value: "hello",
        metadata: null
      })
      for (let i = 0; i < 20; i++)
        expect(await (await at("/greeting")).json()).toEqual({ value: "hello", metadata: null })
      expect(await (await at("/cached")).json()).toEqual({ made: 1 })
      const stats = (await (await at("/stats")).json()) as {
        asked: { reads: number }
        billed: { reads: number; writes: number }
      }
      expect(stats.asked.reads).toBe(22)
      expect(stats.billed).toEqual({ reads: 2, writes: 2, deletes: 0, lists: 0 })
      const kv = await miniflare.getKVNamespace("KV")
      expect(await kv.get("/greeting")).toBe("hello")
    } finally {
      await miniflare.dispose()
    }
  })

  it("keeps a namespace in objects, by one export and one option", async () => {
    const bundled = await build({
      absWorkingDir: project,
      entryPoints: ["durable.ts"],
      bundle: true,
      format: "esm",
      write: false,
      external: ["node:*", "cloudflare:*"]
    })
    const miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "durable.js", contents: bundled.outputFiles[0]!.text }],
      compatibilityDate: "2025-09-01",
      compatibilityFlags: ["nodejs_compat"],
      kvNamespaces: ["KV"],
      durableObjects: { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } },
      cf: false
    })
    try {
      const at = async () => (await miniflare.dispatchFetch("http://worker/")).json()
      await at()
      expect(await at()).toMatchObject({
        n: "2",
        keys: [{ name: "n", metadata: { at: 1 } }],
        billed: { reads: 0, writes: 0, deletes: 0, lists: 0 },
        durableObject: { rowsWritten: expect.any(Number) }
      })
      expect(await (await miniflare.getKVNamespace("KV")).get("n")).toBe(null)
    } finally {
      await miniflare.dispose()
    }
  })

  it("compresses, caches queries of D1, keeps objects and signs links, each from an entry point of its own", async () => {
    const bundled = await build({
      absWorkingDir: project,
      entryPoints: ["parts.ts"],
      bundle: true,
      format: "esm",
      write: false,
      external: ["node:*", "cloudflare:*"]
    })
    const miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "parts.js", contents: bundled.outputFiles[0]!.text }],
      compatibilityDate: "2025-09-01",
      compatibilityFlags: ["nodejs_compat"],
      d1Databases: ["DB"],
      r2Buckets: ["BUCKET"],
      cf: false
    })
    try {
      expect(await (await miniflare.dispatchFetch("http://worker/")).json()).toEqual({
        stored: [4000, true, "abc", "RangeError", "TooLarge"],
        gone: null,
        smaller: true,
        same: true,
        reason: "TooLarge",
        rows: [{ n: 7 }],
        asked: [true, 0],
        link: "https://a.r2.cloudflarestorage.com/b/a%20b.txt"
      })
    } finally {
      await miniflare.dispose()
    }
  })

  it("has a typed client that talks to the Worker, with its peers installed", async () => {
    const own = join(project, "client")
    mkdirSync(join(own, "node_modules/@effect"), { recursive: true })
    cpSync(join(project, "node_modules/larder-kv"), join(own, "node_modules/larder-kv"), { recursive: true })
    for (const peer of ["effect", "@effect/platform"]) {
      symlinkSync(join(root, "node_modules", peer), join(own, "node_modules", peer))
    }
    writeFileSync(join(own, "client.mjs"), client)
    const worker = deployed(await workerBundle(), {})
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ["client.mjs", String(await worker.ready)], {
        cwd: own
      })
      expect(JSON.parse(stdout)).toEqual({ put: "created", read: "hello", batch: [200, 404], refused: "Problem 404" })
    } finally {
      await worker.dispose()
    }
  })

  it("has a command of its own, with nothing else installed", () => {
    writeFileSync(
      join(project, "log.csv"),
      ["time,key,size,op", ...Array.from({ length: 100 }, (_, at) => `${at},user:${at % 3},10,r`)].join("\n")
    )
    const larder = (...args: ReadonlyArray<string>) =>
      run(process.execPath, [join(project, "node_modules/larder-kv/dist/cli.js"), ...args])
    expect(larder("--version")).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(JSON.parse(larder("advise", "log.csv", "--json"))).toMatchObject({ requests: 100 })
    writeFileSync(join(project, "wrangler.toml"), 'name = "shop"\n')
    larder("init", "--yes")
    expect(readFileSync(join(project, "wrangler.toml"), "utf8")).toContain("CacheDurableObject")
    expect(larder("init", "--undo")).toContain("as it was before")
    expect(() => larder("frob")).toThrow("frob is no command")
  })

  it("adds at most 60 KiB to a Worker, gzipped", async () => {
    const sizeOf = async (contents: string): Promise<number> => {
      const bundled = await build({
        stdin: { contents, resolveDir: project, loader: "ts" },
        bundle: true,
        minify: true,
        format: "esm",
        write: false,
        external: ["node:*", "cloudflare:*"]
      })
      return gzipSync(bundled.outputFiles[0]!.contents, { level: 9 }).byteLength
    }
    const plain = "{ fetch: (request, env) => env.KV.get('x').then((value) => new Response(value)) }"
    const without = await sizeOf(`export default ${plain}`)
    const withIt = await sizeOf(`import { withLarder } from "larder-kv"\nexport default withLarder(${plain})`)
    expect((withIt - without) / 1024).toBeLessThanOrEqual(60)
  })
})
