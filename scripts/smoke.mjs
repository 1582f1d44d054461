// Checks a deployed Worker end to end: its routes, bindings and crons, and one write that is read, invalidated and gone.
// `npm run smoke -- --url URL [--key KEY]`; the key needs the scopes read and write, and may stand in LARDER_KEY.
import { parseArgs } from "node:util"

const { values } = parseArgs({ options: { url: { type: "string" }, key: { type: "string" } } })
const key = values.key ?? process.env.LARDER_KEY
if (values.url === undefined || key === undefined) {
  console.error("npm run smoke -- --url https://larder.example.com --key KEY   (or LARDER_KEY)")
  process.exit(2)
}

const ask = async (path, { auth = true, ...init } = {}) => {
  const response = await fetch(new URL(path, values.url), {
    ...init,
    headers: { ...(auth ? { "X-API-KEY": key } : {}), ...init.headers },
    signal: AbortSignal.timeout(30_000)
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

let failed = 0

const check = async (what, run) => {
  try {
    const wrong = await run()
    if (wrong === undefined || wrong === true) return console.log(`ok      ${what}`)
    failed += 1
    console.log(`FAILED  ${what}: ${wrong}`)
  } catch (error) {
    failed += 1
    console.log(`FAILED  ${what}: ${error.message}`)
  }
}

const is = (found, wanted) => (found === wanted ? undefined : `${found}, not ${wanted}`)
const answers =
  (path, status = 200, init) =>
  async () =>
    is((await ask(path, init)).status, status)

await check("health answers without a key", async () => {
  const { status, text } = await ask("/api/v1/data/health", { auth: false })
  return is(status, 200) ?? is(JSON.parse(text).status, "ok")
})
await check("the API needs a key", answers("/api/v1/ledger", 401, { auth: false }))
await check("the page, the reference and the document are served", async () => {
  for (const path of ["/", "/docs", "/openapi.json"]) {
    const { status } = await ask(path, { auth: false })
    if (status !== 200) return `${path} answers ${status}`
  }
})
await check("every binding is there and works (bills three KV operations)", async () => {
  const { status, text } = await ask("/api/v1/data/bindings")
  if (status !== 200) return `${status}`
  const statuses = JSON.parse(text).data.critical_bindings_status
  const wrong = Object.entries(statuses).filter(([, one]) => one !== "ok")
  return wrong.length === 0 ? undefined : wrong.map(([name, one]) => `${name} ${one}`).join(", ")
})

const path = `/api/v1/cache/default/smoke-${Date.now()}`
const tag = `smoke-${Date.now()}`
await check("one write is taken", async () => {
  const { status } = await ask(`${path}?ttl=300&tags=${tag}`, { method: "PUT", body: "smoke" })
  return [201, 202, 204].includes(status) ? undefined : `${status}`
})
await check("and read", async () => is((await ask(path)).text, "smoke"))
await check("and ended by its tag", async () => {
  const body = JSON.stringify({ tags: [tag] })
  const headers = { "Content-Type": "application/json" }
  const { status } = await ask("/api/v1/cache/invalidate", { method: "POST", body, headers })
  return is(status, 200) ?? is((await ask(path)).status, 404)
})
await check("the ledger counted it", async () => {
  const { text } = await ask("/api/v1/ledger")
  const { total } = JSON.parse(text)
  return typeof total.logical.writes === "number" ? undefined : "no counts"
})

const monitored = (await ask("/api/v1/monitor/performance")).status
if (monitored === 404) console.log("none    monitoring: this is the cache alone")
else {
  await check("figures, alerts and recommendations answer", async () => {
    for (const name of ["performance", "alerts", "recommendations", "metrics"]) {
      const { status } = await ask(`/api/v1/monitor/${name}`)
      if (status !== 200) return `${name} answers ${status}`
    }
  })
  await check("settings are shown", answers("/api/v1/config"))
}
await check("what is gone is gone", answers(path, 404, { method: "GET" }))

console.log(failed === 0 ? "all well" : `${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
