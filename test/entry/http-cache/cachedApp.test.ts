import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { assert, describe, it } from "vitest"
import { cachedApp } from "../../../src/entry/http-cache/cachedApp.ts"

describe("cachedApp", () => {
  it("answers an HttpApp's responses again until they are stale, conditions and ranges included", async () => {
    let asked = 0
    const app = Effect.sync(() =>
      HttpServerResponse.text(`answer ${++asked}`, { headers: { "cache-control": "max-age=60", etag: '"1"' } })
    )
    const handle = HttpApp.toWebHandler(cachedApp({ edge: false })(app))
    const ask = (headers: Record<string, string> = {}) => handle(new Request("https://example.com/a", { headers }))
    const first = await ask()
    assert.strictEqual(await first.text(), "answer 1")
    assert.strictEqual(first.headers.get("cache-status"), "Larder; fwd=uri-miss; stored")
    const again = await ask()
    assert.strictEqual(await again.text(), "answer 1")
    assert.match(again.headers.get("cache-status") ?? "", /^Larder; hit; ttl=\d+; detail=memory$/)
    assert.strictEqual((await ask({ "if-none-match": '"1"' })).status, 304)
    assert.strictEqual(await (await ask({ range: "bytes=7-" })).text(), "1")
    assert.strictEqual(asked, 1)
  })

  it("fails as the app fails", async () => {
    const handle = HttpApp.toWebHandler(
      Effect.catchAll(cachedApp({ edge: false })(Effect.fail("no such table" as const)), (error) =>
        Effect.succeed(HttpServerResponse.text(String(error), { status: 500 }))
      )
    )
    const response = await handle(new Request("https://example.com/a"))
    assert.deepStrictEqual([response.status, await response.text()], [500, "no such table"])
  })
})
