import { describe, expect, it } from "vitest"
import type { Kind } from "../../../src/entry/http/problem.ts"
import type { StoreReason } from "../../../src/services/store/Store.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"

const a = "/api/v1/cache/default/a"

describe("a store that fails", () => {
  const outcomes: ReadonlyArray<readonly [StoreReason, "GET" | "PUT", Kind, string | null]> = [
    ["RateLimited", "PUT", "rate-limited", "1"],
    ["Unavailable", "GET", "unavailable", "1"],
    ["LoadFailed", "GET", "unavailable", "1"],
    ["Unavailable", "PUT", "not-stored", "1"],
    ["TooLarge", "PUT", "too-large", null],
    ["BadKey", "PUT", "bad-key", null],
    ["Full", "PUT", "shard-full", null]
  ]

  it("429 and 503: say when to try again", async () => {
    const { send, script } = open()
    for (const [reason, method, slug, retryAfter] of outcomes) {
      script.fail = () => reason
      const response = await send(a, { method })
      expect(response.headers.get("Retry-After")).toBe(retryAfter)
      await refusalOf(response, slug)
    }
    script.fail = () => "Unavailable"
    script.retryAfter = 4.2
    expect((await send(a, { method: "DELETE" })).headers.get("Retry-After")).toBe("5")
    expect((await send("/api/v1/cache/default")).headers.get("Retry-After")).toBe("5")
  })

  it("429: a spent allowance comes back at midnight UTC", async () => {
    const { send, script } = open()
    script.fail = () => "DailyLimit"
    const response = await send(a, { method: "PUT", body: "1" })
    const seconds = Number(response.headers.get("Retry-After"))
    await refusalOf(response, "daily-limit")
    const midnight = Math.ceil(Date.now() / 86_400_000) * 86_400
    expect(Math.abs(Date.now() / 1000 + seconds - midnight)).toBeLessThan(5)
  })

  it("500: a mistake of ours is logged and never shown", async () => {
    const { logged, send, sendJson, script } = open()
    script.fail = () => "Defect"
    const asks = [
      () => send(a),
      () => send(a, { method: "HEAD" }),
      () => send(a, { method: "PUT", body: "1" }),
      () => send("/api/v1/cache/default"),
      () => send("/api/v1/cache/default", { method: "DELETE" }),
      () => sendJson("/api/v1/cache/invalidate", { tags: ["t"] }),
      () => sendJson("/api/v1/cache/default/batch", { get: ["a"] })
    ]
    for (const ask of asks) {
      const response = await ask()
      expect(response.status).toBe(500)
      const text = await response.text()
      if (text === "") continue
      const fields = Object.keys(JSON.parse(text)).sort()
      expect(fields).toStrictEqual(["detail", "instance", "requestId", "status", "title", "type"])
      expect(text).not.toMatch(/secret|\.ts|TypeError/)
    }
    expect(logged).toHaveLength(asks.length)
    expect(String((logged[0] as Array<unknown>)[1])).toMatch(/secret internals/)
  })
})
