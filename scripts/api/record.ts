/** Sends the requests of the reference to the Worker on the embedded runtime, and keeps the answers as its examples. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { build } from "esbuild"
import { Miniflare } from "miniflare"
import { api } from "../../src/entry/api.ts"
import { document, operations } from "./document.ts"
import { routesOf, tell } from "./story.ts"

const { outputFiles } = await build({
  entryPoints: ["src/entry/worker.ts"],
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["workerd", "worker", "import"],
  external: ["node:*", "cloudflare:*"],
  target: "es2023",
  write: false
})
const worker = new Miniflare({
  modules: true,
  script: outputFiles[0]!.text,
  compatibilityDate: "2026-03-01",
  compatibilityFlags: ["nodejs_compat"],
  cf: false,
  kvNamespaces: ["CACHE_KV", "CACHE_DO_KV"],
  durableObjects: {
    CACHE_DO: { className: "CacheDurableObject", useSQLite: true },
    DATABASE_DO: { className: "DatabaseDurableObject", useSQLite: true }
  },
  r2Buckets: ["FILES"],
  d1Databases: ["DB"],
  bindings: {
    API_KEYS: "test,another-key",
    MARKET_SOURCE: "sample",
    WEBHOOK_SECRET: "an example of at least 24 bytes",
    R2_ACCOUNT_ID: "0123456789abcdef0123456789abcdef",
    R2_ACCESS_KEY_ID: "example",
    R2_SECRET_ACCESS_KEY: "example-secret"
  }
})
const db = await worker.getD1Database("DB")
for (const file of readdirSync("migrations").sort()) {
  const sql = readFileSync(`migrations/${file}`, "utf8").replace(/--.*$/gm, "")
  for (const statement of sql.split(";").filter((it) => it.trim() !== "")) await db.prepare(statement).run()
}
const answers = await tell(
  operations,
  routesOf(document(api)),
  (path, init) =>
    worker.dispatchFetch(`https://larder.example${path}`, {
      ...init,
      headers: { "X-API-KEY": "test", ...init.headers }
    }) as unknown as Promise<Response>
)
writeFileSync(
  "scripts/api/answers.ts",
  `/** Written by \`npm run openapi:record\`. */
export const answers = ${JSON.stringify(answers, null, 1)}
`
)
await worker.dispose()
