// Bundles the Worker as a deployment would and fails when it is over budget, or holds a package of the CLI.
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const budgetBytes = 275 * 1024
const cliOnly = /node_modules\/(@effect\/(cli|platform-node|printer)|csv-parse|cli-progress|uplot|miniflare)/

const out = mkdtempSync(join(tmpdir(), "larder-bundle-"))
try {
  const wrangler = fileURLToPath(new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url))
  execFileSync(process.execPath, [wrangler, "deploy", "--dry-run", "--minify", "--outdir", out, "--metafile"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CI: "true" }
  })
  const script = readdirSync(out).find((name) => name.endsWith(".js"))
  const bytes = gzipSync(readFileSync(join(out, script)), { level: 9 }).byteLength
  const meta = JSON.parse(readFileSync(join(out, "bundle-meta.json"), "utf8"))
  const strays = Object.keys(meta.inputs).filter((input) => cliOnly.test(input))
  const share = ((100 * bytes) / budgetBytes).toFixed(0)
  console.log(`Worker bundle: ${(bytes / 1024).toFixed(1)} KiB gzip, ${share} % of its 275 KiB`)
  if (strays.length > 0) console.error(`The Worker bundle holds packages of the CLI:\n${strays.join("\n")}`)
  if (bytes > budgetBytes) console.error("The Worker bundle is over its budget")
  process.exitCode = bytes > budgetBytes || strays.length > 0 ? 1 : 0
} finally {
  rmSync(out, { recursive: true, force: true })
}
