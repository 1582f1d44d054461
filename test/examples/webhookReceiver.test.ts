import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { signatureOf } from "../../src/services/alerts/model/WebhookSignature.ts"

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

const deliver = async (signature: string): Promise<number> => {
  const headers = { "Larder-Signature": signature, "Idempotency-Key": "rule.1" }
  return (await fetch(url, { method: "POST", headers, body })).status
}

const now = () => Math.floor(Date.now() / 1000)

describe("the webhook receiver of the README", () => {
  it("takes what Larder signed with the shared secret", async () => {
    expect(await deliver(await signatureOf("shared", body, now()))).toBe(204)
    expect(await printed()).toBe(`genuine rule.1 ${body}`)
  })

  it("refuses another secret, another body, an old signature, and none", async () => {
    for (const signature of [
      await signatureOf("other", body, now()),
      await signatureOf("shared", `${body} `, now()),
      await signatureOf("shared", body, now() - 600),
      "none"
    ]) {
      expect(await deliver(signature)).toBe(401)
      expect(await printed()).toMatch(/^refused/)
    }
  })
})
