/** Sends the requests of the reference to the Worker on the embedded runtime, and keeps the answers as its examples. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { Miniflare } from "miniflare"
import { api } from "../../src/entry/api.ts"
import { bundled } from "../../test/support/deployed.ts"
import { statementsOf } from "../../test/support/files/statements.ts"
import { moduleOf } from "../../test/support/miniflare.ts"
import { document, operations } from "./document.ts"
import { routesOf, tell, variables } from "./story.ts"

const worker = new Miniflare({
  ...moduleOf(await bundled()),
  cf: false,
  kvNamespaces: ["CACHE_KV", "CACHE_DO_KV"],
  durableObjects: {
    CACHE_DO: { className: "CacheDurableObject", useSQLite: true },
    DATABASE_DO: { className: "DatabaseDurableObject", useSQLite: true }
  },
  r2Buckets: ["FILES"],
  d1Databases: ["DB"],
  bindings: { ...variables, API_KEYS: "test,another-key", MARKET_SOURCE: "sample" }
})
const db = await worker.getD1Database("DB")
for (const file of readdirSync("migrations").sort()) {
  for (const statement of statementsOf(readFileSync(`migrations/${file}`, "utf8"))) await db.prepare(statement).run()
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
