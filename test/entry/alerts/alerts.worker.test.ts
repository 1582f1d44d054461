import { describe, expect, it } from "vitest"
import * as NotifierMemory from "../../../src/layers/notifications/NotifierMemory.ts"
import { NotifierError } from "../../../src/services/notifications/Notifier.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"

const nearZero = { kind: "price-above", price: 0.01 }

const draft = { symbol: "AAPL", condition: nearZero, webhook: "https://hooks.example.com/x" }

const opened = (options: Parameters<typeof open>[0] = {}) => {
  const receiver = NotifierMemory.receiver()
  const client = open({ receiver, ...options })
  // biome-ignore lint/suspicious/noExplicitAny: the assertions are the types
  const get = async (path: string): Promise<any> => (await client.send(path)).json()
  const make = async (body: object) => {
    const response = await client.sendJson("/api/v1/alerts", body)
    expect(response.status).toBe(201)
    const alert = (await response.json()) as { readonly id: string }
    expect(response.headers.get("Location")).toBe(`/api/v1/alerts/${alert.id}`)
    return alert
  }
  // biome-ignore lint/suspicious/noExplicitAny: the assertions are the types
  const sweep = async (): Promise<any> => {
    const response = await client.send("/api/v1/admin/cron/alerts", { method: "POST" })
    expect(response.status).toBe(200)
    return response.json()
  }
  return { ...client, receiver, get, make, sweep }
}

describe("an alert", () => {
  it("is made, looked at, evaluated, told and deleted", async () => {
    const { get, make, receiver, send, sweep } = opened()
    const alert = await make({ ...draft, symbol: " aapl " })
    expect(alert).toMatchObject({
      symbol: "AAPL",
      condition: nearZero,
      cooldownSeconds: 3600,
      hysteresisPercent: 0.5,
      enabled: true,
      webhook: draft.webhook,
      state: null
    })
    expect(await get(`/api/v1/alerts/${alert.id}`)).toStrictEqual(alert)
    expect(await sweep()).toMatchObject({ rules: 1, evaluated: 1, fired: 1, written: 1, delivered: 1, waiting: 0 })
    expect(receiver.attempts.map(({ target }) => target)).toStrictEqual([draft.webhook])
    const { state } = await get(`/api/v1/alerts/${alert.id}`)
    expect(state).toMatchObject({ armed: false, firings: 1, pending: null })
    expect(Date.parse(state.firedAt)).toBe(Date.parse(state.evaluatedAt))
    expect(await get("/api/v1/alerts")).toMatchObject({
      alerts: [{ id: alert.id, state: { firings: 1 } }],
      throttle: { scope: "isolate", blocked: [] }
    })
    expect((await send(`/api/v1/alerts/${alert.id}`, { method: "DELETE" })).status).toBe(204)
    await refusalOf(await send(`/api/v1/alerts/${alert.id}`), "no-such-alert")
    await refusalOf(await send(`/api/v1/alerts/${alert.id}`, { method: "DELETE" }), "no-such-alert")
    expect((await get("/api/v1/alerts")).alerts).toStrictEqual([])
    expect(await sweep()).toMatchObject({ rules: 0, evaluated: 0 })
  })

  it("of every kind is taken, with the terms it is given", async () => {
    const { get, make, sweep } = opened()
    const conditions = [
      { kind: "price-below", price: 1e9 },
      { kind: "percent-change", percent: -2.5, windowMinutes: 60 },
      { kind: "crosses-average", direction: "below", days: 20 }
    ]
    for (const condition of conditions) await make({ symbol: "MSFT", condition, cooldownSeconds: 0 })
    expect(await make({ symbol: "MSFT", condition: conditions[1], enabled: false })).toMatchObject({
      hysteresisPercent: 0.25,
      enabled: false,
      webhook: null
    })
    expect(await sweep()).toMatchObject({ rules: 3, evaluated: 3, fired: 1, delivered: 0 })
    const states = (await get("/api/v1/alerts")).alerts.map(({ state }: { state: object | null }) => state !== null)
    expect(states.filter((swept: boolean) => swept).length).toBe(3)
  })

  it("that nobody takes is a dead letter, readable with the scope read", async () => {
    const { get, make, receiver, sweep } = opened()
    receiver.answer = () => new NotifierError({ operation: "deliver", reason: "Refused", status: 410 })
    const alert = await make(draft)
    expect(await get("/api/v1/alerts/dead-letters")).toStrictEqual({ deadLetters: [], cursor: null })
    expect(await sweep()).toMatchObject({ fired: 1, delivered: 0, deadLettered: 1 })
    const { deadLetters } = await get("/api/v1/alerts/dead-letters")
    expect(deadLetters).toMatchObject([
      { alert: alert.id, target: draft.webhook, reason: "delivery failed: Refused (410)", attempts: 1 }
    ])
    expect(deadLetters[0].key).toBe(receiver.attempts[0]?.key)
    expect(deadLetters[0].body).toBe(receiver.attempts[0]?.body)
  })

  it("that is a dead letter is sent again with the scope write, and stays one until it is taken", async () => {
    const { get, make, receiver, send, sweep } = opened()
    receiver.answer = (_, attempt) =>
      attempt < 3
        ? new NotifierError({ operation: "deliver", reason: "Refused", status: 410, retryAfter: 60 })
        : undefined
    const { id } = await make(draft)
    await sweep()
    expect((await get(`/api/v1/alerts/${id}`)).webhookGoneAt).not.toBeNull()
    const [letter] = (await get("/api/v1/alerts/dead-letters")).deadLetters
    const path = `/api/v1/alerts/dead-letters/${encodeURIComponent(letter.key)}/send`
    const refused = await send(path, { method: "POST" })
    expect(refused.headers.get("Retry-After")).toBe("60")
    expect((await refusalOf(refused, "webhook-failed")).detail).toContain("Refused (410)")
    expect((await get("/api/v1/alerts/dead-letters")).deadLetters).toMatchObject([{ key: letter.key, attempts: 2 }])
    const taken = await send(path, { method: "POST" })
    expect([taken.status, await taken.json()]).toMatchObject([200, { key: letter.key, alert: id }])
    expect((await get("/api/v1/alerts/dead-letters")).deadLetters).toStrictEqual([])
    expect((await get(`/api/v1/alerts/${id}`)).webhookGoneAt).toBeNull()
    await refusalOf(await send(path, { method: "POST" }), "no-such-dead-letter")
    await refusalOf(await send(path), "method-not-allowed")
    await refusalOf(await send("/api/v1/alerts/dead-letters/%20/send", { method: "POST" }), "no-such-dead-letter")
    const reader = opened({ apiKeys: "test=read" })
    await refusalOf(await reader.send(path, { method: "POST" }), "forbidden")
  })
})

describe("what is refused", () => {
  const misfits: ReadonlyArray<readonly [why: string, pointer: RegExp, body: object]> = [
    ["a symbol nobody knows", /^#\/symbol$/, { ...draft, symbol: "NOPE" }],
    ["what is no symbol", /^#\/symbol$/, { ...draft, symbol: "a b" }],
    ["no symbol", /^#\/symbol$/, { condition: nearZero }],
    ["no condition", /^#\/condition$/, { symbol: "AAPL" }],
    ["an unknown condition", /^#\/condition/, { ...draft, condition: { kind: "moon" } }],
    ["a price of nothing", /^#\/condition\/price$/, { ...draft, condition: { kind: "price-above", price: 0 } }],
    [
      "a price that is no number",
      /^#\/condition\/price$/,
      { ...draft, condition: { kind: "price-above", price: "9" } }
    ],
    ["no change", /percent$/, { ...draft, condition: { kind: "percent-change", percent: 0, windowMinutes: 5 } }],
    [
      "a fall below nothing",
      /percent$/,
      { ...draft, condition: { kind: "percent-change", percent: -100, windowMinutes: 5 } }
    ],
    [
      "a window too short",
      /windowMinutes$/,
      { ...draft, condition: { kind: "percent-change", percent: 1, windowMinutes: 1 } }
    ],
    [
      "an average of one day",
      /days$/,
      { ...draft, condition: { kind: "crosses-average", direction: "above", days: 1 } }
    ],
    ["a cooldown below zero", /cooldownSeconds$/, { ...draft, cooldownSeconds: -1 }],
    ["too wide a hysteresis", /hysteresisPercent$/, { ...draft, hysteresisPercent: 51 }],
    [
      "a hysteresis as wide as the change",
      /hysteresisPercent$/,
      { ...draft, hysteresisPercent: 2, condition: { kind: "percent-change", percent: 2, windowMinutes: 5 } }
    ],
    ["a webhook that is not text", /webhook$/, { ...draft, webhook: 1 }]
  ]
  for (const [why, pointer, body] of misfits) {
    it(`422: ${why}`, async () => {
      const { send, sendJson } = opened()
      const problem = await refusalOf(await sendJson("/api/v1/alerts", body), "invalid-body")
      expect(problem.errors).toStrictEqual(
        expect.arrayContaining([{ pointer: expect.stringMatching(pointer), detail: expect.any(String) }])
      )
      expect(await (await send("/api/v1/alerts")).json()).toMatchObject({ alerts: [] })
    })
  }

  it("422: a webhook that would not be notified, and why", async () => {
    const { receiver, sendJson } = opened()
    receiver.refuses = (target) => (target === draft.webhook ? "it is a name of a local network" : undefined)
    const problem = await refusalOf(await sendJson("/api/v1/alerts", draft), "invalid-body")
    expect(problem.errors).toMatchObject([{ pointer: "#/webhook", detail: expect.stringContaining("local network") }])
  })

  it("409: one alert more than there may be", async () => {
    const { make, sendJson } = opened({ variables: { MAX_ALERT_RULES: "2" } })
    await make(draft)
    await make(draft)
    await refusalOf(await sendJson("/api/v1/alerts", draft), "too-many-alerts")
  })

  it("404 for ids of nothing, 403 without the scope, 405 for other methods", async () => {
    const { send } = opened()
    for (const id of ["x", "00000000-0000-4000-8000-000000000000", "%20"]) {
      await refusalOf(await send(`/api/v1/alerts/${id}`), "no-such-alert")
    }
    await refusalOf(await send("/api/v1/alerts/dead-letters", { method: "POST" }), "method-not-allowed")
    const reader = opened({ apiKeys: "test=read" })
    await refusalOf(await reader.sendJson("/api/v1/alerts", draft), "forbidden")
    await refusalOf(await reader.send("/api/v1/admin/cron/alerts", { method: "POST" }), "forbidden")
    expect((await reader.send("/api/v1/alerts")).status).toBe(200)
  })

  it("503 while the store is out of reach", async () => {
    const { script, send, sendJson } = opened()
    script.fail = () => "Unavailable"
    await refusalOf(await send("/api/v1/alerts"), "unavailable")
    await refusalOf(await sendJson("/api/v1/alerts", draft), "unavailable")
    await refusalOf(await send("/api/v1/admin/cron/alerts", { method: "POST" }), "unavailable")
  })
})
