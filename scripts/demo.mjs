// A trading day in a minute through the Worker that `npm start` serves, so that the page at / moves; then what it cost.
// `npm run demo [-- --url http://localhost:8787 --key dev --seconds 60]`
import { parseArgs } from "node:util"
import cliProgress from "cli-progress"

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://localhost:8787" },
    key: { type: "string", default: "dev" },
    seconds: { type: "string", default: "60" }
  }
})

const headers = { "X-API-KEY": values.key }
const at = (path) => new URL(path, values.url)

const ask = async (path, init = {}) => {
  const response = await fetch(at(path), { ...init, headers: { ...headers, ...init.headers } })
  await response.arrayBuffer()
  return response.status
}

const ledger = async () => {
  const response = await fetch(at("/api/v1/monitor/performance"), { headers })
  if (!response.ok) throw new Error(`${values.url} answers ${response.status}: is "npm start" running?`)
  return (await response.json()).total
}

const symbols = ["AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "TSLA", "JPM", "XOM", "UNH", "KO", "PG"]

/** A few symbols are asked for most, as on any day. */
const popular = () => symbols[Math.floor(symbols.length * Math.random() ** 2.5)]

/** What a reader of the desk does, one of these at a time; a twelfth of all writes. */
const requests = [
  () => ask(`/api/v1/cache/default/quote-${popular()}`),
  () => ask(`/api/v1/cache/default/quote-${popular()}`),
  () => ask(`/api/v1/cache/default/chart-${popular()}`),
  () => ask(`/api/v1/cache/default/quote-${popular()}`),
  () => ask(`/api/v1/data/symbols/${popular()}`),
  () => ask(`/api/v1/cache/default/sentiment-${popular()}`),
  () => ask(`/api/v1/cache/default/news-${popular()}`),
  () => ask(`/api/v1/cache/default/quote-${popular()}`),
  () => ask("/api/v1/cache/default/sectors"),
  () => ask(`/api/v1/cache/default/no-such-${popular()}`),
  () => ask(`/api/v1/cache/default/quote-${popular()}`),
  () =>
    ask(`/api/v1/cache/default/quote-${popular()}?ttl=3600&tags=quotes`, {
      method: "PUT",
      body: JSON.stringify({ price: Math.round(10_000 + Math.random() * 40_000) / 100 })
    })
]

const usd = new Intl.NumberFormat("en", { style: "currency", currency: "USD", maximumSignificantDigits: 3 })
const seconds = Number(values.seconds)
const before = await ledger().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
for (const symbol of symbols) {
  for (const kind of ["quote", "chart", "sentiment", "news"]) {
    await ask(`/api/v1/cache/default/${kind}-${symbol}?ttl=3600&tags=${kind}s`, {
      method: "PUT",
      body: `{"of":"${symbol}"}`
    })
  }
}
console.log(`Look at ${at("/")} meanwhile (key: ${values.key}).`)
const bar = new cliProgress.SingleBar({ format: "{bar} {clock}  {done} requests, {failed} failed" })
bar.start(seconds, 0, { clock: "09:30", done: 0, failed: 0 })
let done = 0
let failed = 0
const began = Date.now()
const elapsed = () => (Date.now() - began) / 1000

const reader = async () => {
  while (elapsed() < seconds) {
    const status = await requests[Math.floor(Math.random() * requests.length)]().catch(() => 599)
    done += 1
    if (status >= 500) failed += 1
    const minutes = 570 + Math.round((elapsed() / seconds) * 390)
    const clock = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`
    bar.update(Math.min(seconds, elapsed()), { clock, done, failed })
  }
}
await Promise.all([reader(), reader(), reader(), reader()])
bar.stop()

const after = await ledger()
const between = (of) => of(after) - of(before)
const spent = between(({ usd }) => usd.spent)
const without = between(({ usd }) => usd.withoutLarder)
const asked = between(({ reads }) => reads)
const fromMemory = between(({ answered }) => answered.memory)
console.log(`
${done} requests in ${Math.round(elapsed())} s, ${failed} failed; ${asked} reads, ${fromMemory} of them answered by memory.
KV operations: ${between(({ kv }) => kv.reads + kv.writes + kv.deletes + kv.lists)}; as direct KV ${between(({ logical }) => logical.reads + logical.writes + logical.deletes + logical.lists)}.
At list price this cost ${usd.format(spent)}; as direct KV ${usd.format(without)}. A million such requests: ${usd.format((spent / done) * 1e6)} instead of ${usd.format((without / done) * 1e6)}.`)
