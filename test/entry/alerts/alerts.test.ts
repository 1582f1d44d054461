import type { Miniflare } from "miniflare"
import { Webhook } from "standardwebhooks"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundled, deployed } from "../../support/deployed.ts"
import { askAt, runCron } from "../../support/deployments.ts"
import * as WebhookServer from "../../support/notifications/webhookServer.ts"

const secret = "between the two of us"

let script: string
let receiver: Awaited<ReturnType<typeof WebhookServer.start>>

beforeAll(async () => {
  script = await bundled()
  receiver = await WebhookServer.start()
})

afterAll(() => receiver.close())

const during = async (flag: "on" | "off", use: (worker: Miniflare, base: URL) => Promise<void>): Promise<void> => {
  const worker = deployed(script, {
    FEATURE_FLAG_DO_CACHE: flag,
    WEBHOOK_SECRET: secret,
    WEBHOOK_ALLOW_LOCAL: "true"
  })
  try {
    await use(worker, await worker.ready)
  } finally {
    await worker.dispose()
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the assertions are the types
const ask = async (base: URL, method: string, path: string, body?: object): Promise<any> => {
  const response = await askAt(base, method, path, body && JSON.stringify(body), "application/json")
  return response.json()
}

describe("on workerd, a receiver on this machine", () => {
  for (const flag of ["on", "off"] as const) {
    it(`gets one signed webhook from the cron, and none from the next (FEATURE_FLAG_DO_CACHE ${flag})`, () =>
      during(flag, async (worker, base) => {
        receiver.received.length = 0
        const condition = { kind: "price-above", price: 0.01 }
        const alert = await ask(base, "POST", "alerts", { symbol: "NVDA", condition, webhook: `${receiver.url}/hook` })
        await runCron(worker)
        expect(receiver.received.map(({ method, path }) => `${method} ${path}`)).toStrictEqual(["POST /hook"])
        const { body, headers } = receiver.received[0]!
        const message = new Webhook(secret, { format: "raw" }).verify(body, headers as Record<string, string>)
        expect(headers["idempotency-key"]).toBe(headers["webhook-id"])
        expect(message).toMatchObject({
          type: "alert.fired",
          id: headers["webhook-id"],
          symbol: "NVDA",
          rule: { id: alert.id, condition }
        })
        await runCron(worker)
        expect(await ask(base, "POST", "admin/cron/alerts")).toMatchObject({ rules: 1, evaluated: 1, fired: 0 })
        expect(receiver.received.length).toBe(1)
        expect(await ask(base, "GET", `alerts/${alert.id}`)).toMatchObject({
          state: { firings: 1, armed: false, pending: null }
        })
        expect((await ask(base, "GET", "alerts")).throttle.scope).toBe(flag === "on" ? "shared" : "isolate")
      }))
  }

  it("that is gone is told no more, until a dead letter that is sent again is taken", () =>
    during("on", async (worker, base) => {
      receiver.received.length = 0
      receiver.respond((response) => response.writeHead(410).end())
      const condition = { kind: "price-above", price: 0.01 }
      const alert = await ask(base, "POST", "alerts", { symbol: "AMD", condition, webhook: `${receiver.url}/gone` })
      await runCron(worker)
      expect((await ask(base, "GET", `alerts/${alert.id}`)).webhookGoneAt).toMatch(/^20\d\d-/)
      const [letter] = (await ask(base, "GET", "alerts/dead-letters")).deadLetters
      const send = () => ask(base, "POST", `alerts/dead-letters/${letter.key}/send`)
      expect(await send()).toMatchObject({ status: 502, type: "/problems/webhook-failed" })
      receiver.respond((response) => response.writeHead(204).end())
      expect(await send()).toMatchObject({ key: letter.key, alert: alert.id, body: letter.body })
      expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"]))).toStrictEqual(
        new Set([letter.key])
      )
      expect(receiver.received.length).toBe(3)
      expect((await ask(base, "GET", `alerts/${alert.id}`)).webhookGoneAt).toBeNull()
      expect((await ask(base, "GET", "alerts/dead-letters")).deadLetters).toStrictEqual([])
      expect(await send()).toMatchObject({ status: 404, type: "/problems/no-such-dead-letter" })
    }))

  it("that redirects is not followed: the notification is a dead letter", () =>
    during("on", async (worker, base) => {
      receiver.received.length = 0
      receiver.respond((response, { path }) =>
        path === "/hook" ? response.writeHead(302, { Location: "/inside" }).end() : response.writeHead(200).end()
      )
      const condition = { kind: "price-above", price: 0.01 }
      await ask(base, "POST", "alerts", { symbol: "AAPL", condition, webhook: `${receiver.url}/hook` })
      await runCron(worker)
      expect(receiver.received.map(({ path }) => path)).toStrictEqual(["/hook"])
      const { deadLetters } = await ask(base, "GET", "alerts/dead-letters")
      expect(deadLetters).toMatchObject([
        { target: `${receiver.url}/hook`, reason: "delivery failed: Redirected (302)" }
      ])
    }))
})
