// Bundles what is deployed, and a Worker on the library, as a deployment would; fails when one is over its budget or
// holds a package of the CLI.
import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { asPackaged } from "./bundle-plugins.mjs"

/** KiB after gzip, of all modules together. The library's user has a typed collection, memory, edge and KV. */
const bundles = [
  { name: "cache and both applications", main: "worker", flags: ["--env="], budget: 312 },
  { name: "cache alone", main: "core", flags: ["--env=core"], budget: 190 }
]

/** As any bundler of a Worker's author would, of the package. 58 KiB of it are Effect with its Schema. */
const library = { name: "library, KV store", entry: "examples/quotes-worker.ts", budget: 84 }

const cliOnly = /node_modules\/(@effect\/(cli|platform-node|printer)|csv-parse|cli-progress|uplot|miniflare)/
const wrangler = fileURLToPath(new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url))

const verdict = ({ budget, name }, script, { inputs }) => {
  const kib = gzipSync(script, { level: 9 }).byteLength / 1024
  const strays = Object.keys(inputs).filter((input) => cliOnly.test(input))
  console.log(`${name}: ${kib.toFixed(1)} KiB gzip of ${budget}`)
  if (strays.length > 0) console.error(`${name} holds packages of the CLI:\n${strays.join("\n")}`)
  if (kib > budget) console.error(`${name} is over its budget`)
  return kib <= budget && strays.length === 0
}

const bundledLibrary = async () => {
  const { metafile, outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../${library.entry}`, import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    external: ["node:*", "cloudflare:*"],
    target: "es2024",
    write: false,
    metafile: true,
    plugins: [asPackaged]
  })
  return verdict(library, outputFiles[0].contents, metafile)
}

const measured = async ({ budget, flags, main, name }) => {
  const out = mkdtempSync(join(tmpdir(), "larder-bundle-"))
  try {
    await promisify(execFile)(process.execPath, [wrangler, "deploy", ...flags, "--dry-run", "--outdir", out], {
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CI: "true" }
    })
    const modules = readdirSync(out).filter((file) => file.endsWith(".js"))
    return verdict(
      { budget, name },
      Buffer.concat(modules.map((file) => readFileSync(join(out, file)))),
      JSON.parse(readFileSync(fileURLToPath(new URL(`../build/${main}.meta.json`, import.meta.url)), "utf8"))
    )
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

process.exitCode = (await Promise.all([...bundles.map(measured), bundledLibrary()])).every(Boolean) ? 0 : 1
