// Times what someone new does: from a wrangler project with a Worker on KV, by the package as it is packed, to a cached KV
// whose saving can be seen. Wrangler is taken from here, as it would be there. node scripts/first-use.mjs
import { execFileSync, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")
const project = mkdtempSync(join(tmpdir(), "larder-first-use-"))
const quiet = { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }

const before = `export default {
  async fetch(request, env) {
    const key = new URL(request.url).pathname
    if (request.method === "PUT") await env.KV.put(key, await request.text())
    return new Response(await env.KV.get(key))
  }
}
`
const after = before
  .replace("export default {", 'import { larderStats, withLarder } from "larder-kv"\nexport default withLarder({')
  .replace("    if (", '    if (key === "/savings") return Response.json(larderStats(env.KV))\n    if (')
  .replace(/}\n$/, "})\n")

const linesChanged = (one, other) => other.split("\n").filter((line) => !one.split("\n").includes(line)).length

let last = performance.now()
const step = (name) => {
  const now = performance.now()
  console.log(`${name.padEnd(52)} ${((now - last) / 1000).toFixed(1).padStart(6)} s`)
  last = now
}

const freePort = () =>
  new Promise((found) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => found(port))
    })
  })

const answered = async (url, init) => {
  for (let attempt = 0; attempt < 240; attempt++) {
    const response = await fetch(url, init).catch(() => undefined)
    if (response?.ok) return response
    await new Promise((again) => setTimeout(again, 250))
  }
  throw new Error(`${url} does not answer`)
}

let dev
try {
  execFileSync("npm", ["pack", "--pack-destination", project], { ...quiet, cwd: root })
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  step("npm pack, in this repository: not counted below")
  const began = last

  mkdirSync(join(project, "src"))
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }))
  writeFileSync(
    join(project, "wrangler.toml"),
    'name = "shop"\nmain = "src/index.js"\ncompatibility_date = "2025-09-01"\n\n[[kv_namespaces]]\nbinding = "KV"\nid = "local"\n'
  )
  writeFileSync(join(project, "src/index.js"), before)
  execFileSync("npm", ["install", "--no-audit", "--no-fund", `./larder-kv-${version}.tgz`], quiet)
  step("npm install, of one package")

  execFileSync("npx", ["larder", "init", "--yes"], quiet)
  step("larder init --yes (objects and their migration)")

  writeFileSync(join(project, "src/index.js"), `${after}export { CacheDurableObject } from "larder-kv/durable"\n`)
  symlinkSync(join(root, "node_modules/wrangler"), join(project, "node_modules/wrangler"))
  const port = await freePort()
  dev = spawn(process.execPath, ["node_modules/wrangler/bin/wrangler.js", "dev", "--port", String(port)], {
    cwd: project,
    stdio: ["ignore", "ignore", "inherit"],
    detached: true,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "true" }
  })
  const url = `http://127.0.0.1:${port}`
  await answered(`${url}/greeting`, { method: "PUT", body: "hello" })
  step("wrangler dev, until it answers")

  for (let request = 0; request < 100; request++) await (await answered(`${url}/greeting`)).text()
  const { asked, billed, usd } = await (await answered(`${url}/savings`)).json()
  step("100 requests, and /savings")

  const counts = ({ reads, writes }) => `${reads} reads and ${writes} writes`
  console.log(`\nasked for ${counts(asked)}, billed ${counts(billed)}: $${usd.saved.toFixed(6)} saved`)
  console.log(
    `${linesChanged(before, after) + 1} lines changed; ${((performance.now() - began) / 1000).toFixed(0)} s in all`
  )
  if (billed.reads >= asked.reads) process.exitCode = 1
} finally {
  if (dev !== undefined) process.kill(-dev.pid)
  rmSync(project, { recursive: true, force: true })
}
