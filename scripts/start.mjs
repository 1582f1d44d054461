// Serves Larder on the embedded runtime: no account, no network. Arguments go to `wrangler dev`.
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const given = process.argv.slice(2)
const portAt = given.findIndex((argument) => argument === "--port" || argument.startsWith("--port="))
const port = portAt === -1 ? "8787" : (given[portAt].split("=")[1] ?? given[portAt + 1])

console.log(`
Larder, on workerd with local storage (.wrangler/state). The API key is "dev".

  http://localhost:${port}/                      this Worker at a glance
  http://localhost:${port}/docs                  the API, readable
  http://localhost:${port}/api/v1/data/health    is it well?

  curl -X PUT -H 'X-API-KEY: dev' --data 'hello' http://localhost:${port}/api/v1/cache/default/greeting
  curl -i -H 'X-API-KEY: dev' http://localhost:${port}/api/v1/cache/default/greeting
`)

/** For this machine only: webhooks may go to a receiver on it, and are signed with a key that everybody knows. */
const variables = ["API_KEYS:dev", "WEBHOOK_SECRET:dev", "WEBHOOK_ALLOW_LOCAL:true"].flatMap((it) => ["--var", it])

const wrangler = fileURLToPath(new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url))
const child = spawn(
  process.execPath,
  [wrangler, "dev", "--env=", ...variables, "--show-interactive-dev-session=false", ...given],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_SEND_ERROR_REPORTS: "false",
      WRANGLER_HIDE_BANNER: "true"
    }
  }
)
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal))
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 0)))
