import { createHmac } from "node:crypto"
import type { Miniflare } from "miniflare"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as WebhookServer from "../../support/alerts/webhookServer.ts"
import { bundled, deployed } from "../../support/deployed.ts"
import { askAt, runCron } from "../../support/deployments.ts"

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
        const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["larder-signature"])) ?? []
        expect(signature).toBe(createHmac("sha256", secret).update(`${time}.${body}`).digest("hex"))
        expect(JSON.parse(body)).toMatchObject({
          type: "alert.fired",
          id: headers["idempotency-key"],
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
