// Serves Larder on the embedded runtime: no account, no network. Arguments go to `wrangler dev`.
import { spawn, spawnSync } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const given = process.argv.slice(2)
const portAt = given.findIndex((argument) => argument === "--port" || argument.startsWith("--port="))
const port = portAt === -1 ? "8787" : (given[portAt].split("=")[1] ?? given[portAt + 1])

const whereToLook = `
Larder, on workerd with local storage (.wrangler/state). The API key is "dev".

  http://localhost:${port}/                      this Worker at a glance
  http://localhost:${port}/docs                  the API, readable
  http://localhost:${port}/api/v1/data/health    is it well?

  curl -X PUT -H 'X-API-KEY: dev' -H 'Content-Type: text/plain' --data 'hello' http://localhost:${port}/api/v1/cache/default/greeting
  curl -i -H 'X-API-KEY: dev' http://localhost:${port}/api/v1/cache/default/greeting
`

/**
 * For this machine only: no rate limit applies to the key; webhooks may go to a receiver on it, and are signed with a key that everybody knows; prices and
 * headlines are invented.
 */
const variables = [
  "API_KEYS:dev=read+write+admin+unlimited",
  "WEBHOOK_SECRET:dev",
  "WEBHOOK_ALLOW_LOCAL:true",
  "MARKET_SOURCE:sample"
].flatMap((it) => ["--var", it])

const wrangler = fileURLToPath(new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url))
const env = {
  ...process.env,
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true"
}

/** The value of a flag that was given, as `--name value` or `--name=value`. */
const valueOf = (name) => {
  const at = given.findIndex((argument) => argument === name || argument.startsWith(`${name}=`))
  return at === -1 ? undefined : (given[at].split("=")[1] ?? given[at + 1])
}

/** The tables of the file application, where `wrangler dev` will look for them; what is applied is left alone. */
const places = ["--persist-to", "--config"].flatMap((name) => {
  const value = valueOf(name)
  return value === undefined ? [] : [name, value]
})
if (valueOf("--env") === undefined) {
  const migrating = spawnSync(
    process.execPath,
    [wrangler, "d1", "migrations", "apply", "DB", "--local", "--env=", ...places],
    {
      encoding: "utf8",
      env: { ...env, CI: "true" }
    }
  )
  if (migrating.status !== 0) console.error(`The database has no tables; files answer 503.\n${migrating.stderr}`)
}

const child = spawn(
  process.execPath,
  [wrangler, "dev", "--env=", ...variables, "--show-interactive-dev-session=false", ...given],
  { stdio: ["inherit", "pipe", "inherit"], env }
)
// Wrangler lists every module of the bundle, which would drive the addresses off the screen.
createInterface({ input: child.stdout }).on("line", (line) => {
  if (!/^[┌├│└]/.test(line)) console.log(line)
  if (line.includes("Ready on http")) console.log(whereToLook)
})
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal))
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 0)))
