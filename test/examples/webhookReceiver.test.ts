import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { Webhook } from "standardwebhooks"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { webhookHeaders } from "../../src/services/notifications/model/WebhookSignature.ts"

let receiver: ChildProcess
let lines: AsyncIterator<string>
let url: string

const printed = async (): Promise<string> => (await lines.next()).value as string

beforeAll(async () => {
  const env = { ...process.env, WEBHOOK_SECRET: "shared" }
  receiver = spawn(process.execPath, ["examples/webhook-receiver.mjs", "0"], {
    env,
    stdio: ["ignore", "pipe", "inherit"]
  })
  lines = createInterface({ input: receiver.stdout! })[Symbol.asyncIterator]()
  url = /http:\S+/.exec(await printed())![0]
})

afterAll(() => receiver.kill())

const body = '{"type":"alert.fired"}'

const deliver = async (headers: { readonly [name: string]: string }): Promise<number> =>
  (await fetch(url, { method: "POST", headers, body })).status

const signed = (secret: string, text: string, seconds: number) =>
  webhookHeaders([new TextEncoder().encode(secret)], "rule_1", text, seconds)

const now = () => Math.floor(Date.now() / 1000)

describe("the webhook receiver of the README", () => {
  it("takes what Larder signed with the shared secret", async () => {
    expect(await deliver(await signed("shared", body, now()))).toBe(204)
    expect(await printed()).toBe(`genuine rule_1 ${body}`)
  })

  it("takes what is signed with a secret beside the shared one, and by any Standard Webhooks library", async () => {
    const [other, shared] = ["new", "shared"].map((secret) => new TextEncoder().encode(secret))
    expect(await deliver(await webhookHeaders([other!, shared!], "rule_1", body, now()))).toBe(204)
    expect(await printed()).toMatch(/^genuine/)
    const signature = new Webhook("shared", { format: "raw" }).sign("rule_1", new Date(now() * 1000), body)
    const headers = { "webhook-id": "rule_1", "webhook-timestamp": String(now()), "webhook-signature": signature }
    expect(await deliver(headers)).toBe(204)
    expect(await printed()).toMatch(/^genuine/)
  })

  it("refuses another secret, another body, another id, an old signature, and none", async () => {
    const good = await signed("shared", body, now())
    for (const headers of [
      await signed("other", body, now()),
      await signed("shared", `${body} `, now()),
      await signed("shared", body, now() - 600),
      { ...good, "webhook-id": "rule_2" },
      { ...good, "webhook-timestamp": String(now() + 600) },
      { ...good, "webhook-signature": good["webhook-signature"]!.replace("v1,", "v2,") },
      { "webhook-id": "rule_1" }
    ]) {
      expect(await deliver(headers)).toBe(401)
      expect(await printed()).toMatch(/^refused/)
    }
  })
})
