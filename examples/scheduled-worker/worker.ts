import { withLarder } from "../../src/entry/package/larder.ts"

// A scheduled Worker: takes a list apart once an hour and writes what changed. Nobody else writes to the namespace, so
// that a value which is the same as before is not written again.

export interface Env {
  readonly RATES: KVNamespace
}

/** Your source. */
const readRates = async (): Promise<unknown> => ({ EUR: 1, USD: 1.1 })

const isRates = (value: unknown): value is { readonly [currency: string]: number } =>
  typeof value === "object" && value !== null && Object.values(value).every((rate) => typeof rate === "number")

export const job = {
  async scheduled(_controller: unknown, env: Env): Promise<void> {
    const rates = await readRates()
    if (!isRates(rates)) {
      console.error("the source gave no rates", rates)
      return
    }
    await Promise.all(Object.entries(rates).map(([currency, rate]) => env.RATES.put(`rate:${currency}`, String(rate))))
  },
  async fetch(request: Request, env: Env): Promise<Response> {
    const currency = new URL(request.url).pathname.slice(1)
    if (!/^[A-Z]{3}$/.test(currency)) return new Response("a currency is three capital letters", { status: 400 })
    const rate = await env.RATES.get(`rate:${currency}`)
    return rate === null ? new Response("no such currency", { status: 404 }) : new Response(rate)
  }
} satisfies ExportedHandler<Env>

export default withLarder(job, { bindings: { RATES: { exclusive: true } } })
