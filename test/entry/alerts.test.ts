import { createHmac } from "node:crypto"
import type { Miniflare } from "miniflare"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundle, start } from "../support/miniflare.ts"
import * as WebhookServer from "../support/webhookServer.ts"

const secret = "between the two of us"

let script: string
let receiver: Awaited<ReturnType<typeof WebhookServer.start>>

beforeAll(async () => {
  script = await bundle(new URL("../../src/entry/worker.ts", import.meta.url))
  receiver = await WebhookServer.start()
})

afterAll(() => receiver.close())

const deployed = async (flag: "on" | "off", use: (worker: Miniflare, base: URL) => Promise<void>): Promise<void> => {
  const worker = start(
    script,
    { API_KEYS: "test", FEATURE_FLAG_DO_CACHE: flag, WEBHOOK_SECRET: secret, WEBHOOK_ALLOW_LOCAL: "true" },
    {
      kvNamespaces: ["CACHE_KV", "CACHE_DO_KV"],
      durableObjects: { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } }
    }
  )
  try {
    await use(worker, await worker.ready)
  } finally {
    await worker.dispose()
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the assertions are the types
const ask = async (base: URL, method: string, path: string, body?: object): Promise<any> => {
  const response = await fetch(new URL(`/api/v1/${path}`, base), {
    method,
    headers: { "X-API-KEY": "test", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  return response.json()
}

const cron = async (worker: Miniflare): Promise<void> => {
  const { scheduled } = (await worker.getWorker()) as unknown as {
    scheduled: (options: { cron: string }) => Promise<{ outcome: string }>
  }
  expect(await scheduled({ cron: "*/5 * * * *" })).toMatchObject({ outcome: "ok" })
}

describe("on workerd, a receiver on this machine", () => {
  for (const flag of ["on", "off"] as const) {
    it(`gets one signed webhook from the cron, and none from the next (FEATURE_FLAG_DO_CACHE ${flag})`, () =>
      deployed(flag, async (worker, base) => {
        receiver.received.length = 0
        const condition = { kind: "price-above", price: 0.01 }
        const alert = await ask(base, "POST", "alerts", { symbol: "NVDA", condition, webhook: `${receiver.url}/hook` })
        await cron(worker)
        expect(receiver.received.map(({ method, path }) => `${method} ${path}`)).toStrictEqual(["POST /hook"])
        const { body, headers } = receiver.received[0]!
        const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["larder-signature"])) ?? []
        expect(signature).toBe(createHmac("sha256", secret).update(`${time}.${body}`).digest("hex"))
        expect(JSON.parse(body)).toMatchObject({
          type: "alert.fired",
          id: headers["idempotency-key"],
          symbol: "NVDA",
          rule: { id: alert.id, condition }
        })
        await cron(worker)
        expect(await ask(base, "POST", "admin/cron/alerts")).toMatchObject({ rules: 1, evaluated: 1, fired: 0 })
        expect(receiver.received.length).toBe(1)
        expect(await ask(base, "GET", `alerts/${alert.id}`)).toMatchObject({
          state: { firings: 1, armed: false, pending: null }
        })
        expect((await ask(base, "GET", "alerts")).throttle.scope).toBe(flag === "on" ? "shared" : "isolate")
      }))
  }

  it("that redirects is not followed: the notification is a dead letter", () =>
    deployed("on", async (worker, base) => {
      receiver.received.length = 0
      receiver.respond((response, { path }) =>
        path === "/hook" ? response.writeHead(302, { Location: "/inside" }).end() : response.writeHead(200).end()
      )
      const condition = { kind: "price-above", price: 0.01 }
      await ask(base, "POST", "alerts", { symbol: "AAPL", condition, webhook: `${receiver.url}/hook` })
      await cron(worker)
      expect(receiver.received.map(({ path }) => path)).toStrictEqual(["/hook"])
      const { deadLetters } = await ask(base, "GET", "alerts/dead-letters")
      expect(deadLetters).toMatchObject([
        { target: `${receiver.url}/hook`, reason: "delivery failed: Redirected (302)" }
      ])
    }))
})
