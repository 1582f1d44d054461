import type { Browser, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Served, serve } from "../support/served.ts"

let served: Served | undefined
let browser: Browser
let origin: string

beforeAll(async () => {
  served = await serve()
  ;({ browser, origin } = served)
})

afterAll(async () => {
  await served?.close()
})

/** A page that fails the test when a script throws, logs an error, or something is loaded from elsewhere. */
const open = async (path: string): Promise<{ readonly page: Page; readonly wrongs: ReadonlyArray<string> }> => {
  const page = await browser.newPage()
  const wrongs: Array<string> = []
  page.on("pageerror", (error) => wrongs.push(String(error)))
  page.on("console", (message) => message.type() === "error" && wrongs.push(message.text()))
  page.on("request", (request) => new URL(request.url()).origin !== origin && wrongs.push(request.url()))
  await page.goto(`${origin}${path}`, { waitUntil: "networkidle" })
  return { page, wrongs }
}

describe("the pages, in a browser", () => {
  it("/docs shows every route of the API, and nothing goes wrong", async () => {
    const { page, wrongs } = await open("/docs")
    const { paths } = (await (await fetch(`${origin}/openapi.json`)).json()) as { paths: Record<string, unknown> }
    const text = await page.textContent("body")
    for (const path of Object.keys(paths)) assert.include(text ?? "", path)
    assert.isAbove(Object.keys(paths).length, 8)
    assert.deepStrictEqual(wrongs, [])
    await page.close()
  })

  it("come with a strict policy and no frame around them; nothing of /files is refused by it", async () => {
    for (const path of [
      "/",
      "/files",
      "/docs",
      "/problems/",
      "/problems/forbidden",
      "/dashboard.js",
      "/openapi.json"
    ]) {
      const { headers } = await fetch(`${origin}${path}`)
      const policy = headers.get("Content-Security-Policy") ?? ""
      assert.include(policy, "default-src 'none'", path)
      assert.include(policy, "frame-ancestors 'none'", path)
      assert.notInclude(policy, "unsafe", path)
      assert.strictEqual(headers.get("X-Content-Type-Options"), "nosniff", path)
      assert.strictEqual(headers.get("Referrer-Policy"), "no-referrer", path)
    }
    for (const path of ["/", "/files", "/docs", "/problems/"]) {
      const { page, wrongs } = await open(path)
      assert.deepStrictEqual(wrongs, [], path)
      await page.close()
    }
  })
})
