import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { violationsOf } from "../support/axe.ts"
import { type Served, serve } from "../support/served.ts"

const screenshots = fileURLToPath(new URL("../../docs/images/", import.meta.url))
const headers = { "X-API-KEY": "dev" }

let served: Served | undefined
let browser: Browser
let origin: string

beforeAll(async () => {
  served = await serve()
  ;({ browser, origin } = served)
  for (let i = 0; i < 30; i++) {
    const path = `${origin}/api/v1/cache/default/quote-${i % 10}`
    if (i < 10) await fetch(`${path}?tags=seen`, { method: "PUT", body: String(i), headers })
    await (await fetch(path, { headers })).text()
  }
})

afterAll(async () => {
  await served?.close()
})

interface Opened {
  readonly page: Page
  readonly wrongs: ReadonlyArray<string>
  /** Of the figures that the page was given, the latest. */
  readonly given: () => Record<string, unknown>
}

/** A page that takes note when a script throws or logs an error, or something is loaded from elsewhere. */
const open = async (options: BrowserContextOptions = {}): Promise<Opened> => {
  const page = await browser.newPage(options)
  const wrongs: Array<string> = []
  let given: Record<string, unknown> = {}
  page.on("pageerror", (error) => wrongs.push(String(error)))
  page.on("console", (message) => message.type() === "error" && wrongs.push(message.text()))
  page.on("request", (request) => new URL(request.url()).origin !== origin && wrongs.push(request.url()))
  page.on("response", async (response) => {
    if (response.url().endsWith("/monitor/performance") && response.ok()) given = await response.json()
  })
  await page.goto(origin)
  return { page, wrongs, given: () => given }
}

const signIn = async (page: Page): Promise<void> => {
  await page.fill("#key", "dev")
  await page.keyboard.press("Enter")
  await page.waitForSelector("#settings tbody tr", { state: "attached" })
}

describe("the page at /, in a browser", () => {
  it("says without a key how the Worker is, and why a wrong key shows nothing", async () => {
    const { page, wrongs } = await open()
    await page.waitForSelector('#health:text-matches("ok|degraded")')
    assert.isTrue(await page.isHidden("#figures"))
    await page.fill("#key", "wrong")
    await page.keyboard.press("Enter")
    await page.waitForSelector("#refusal:not(:empty)")
    assert.isTrue(await page.isHidden("#figures"))
    assert.isTrue(
      wrongs.every((wrong) => wrong.includes("401")),
      wrongs.join("\n")
    )
    await page.close()
  })

  it("shows the figures that the API gives, with the key in the session and no URL", async () => {
    const { given, page, wrongs } = await open()
    const urls: Array<string> = []
    page.on("request", (request) => urls.push(request.url()))
    await page.route("**/monitor/stream", (route) => route.abort())
    await signIn(page)
    const figures = await page.$$eval("[data-figure]", (elements) =>
      elements.map(
        (element: Element) => [element.getAttribute("data-figure")!, element.getAttribute("data-value")!] as const
      )
    )
    assert.isAtLeast(figures.length, 10)
    for (const [path, value] of figures) {
      const found = path
        .split(".")
        .reduce((tree: unknown, name: string) => (tree as Record<string, unknown>)[name], given())
      assert.strictEqual(value, String(found), path)
    }
    const tiers = await page.$$eval("[data-tier]", (elements) =>
      elements.map(
        (element) => [element.getAttribute("data-tier")!, Number(element.getAttribute("data-value"))] as const
      )
    )
    assert.deepStrictEqual(Object.fromEntries(tiers), (given().total as { answered: unknown }).answered)
    assert.deepStrictEqual(
      urls.filter((url) => /[?&=]dev\b/.test(url)),
      []
    )
    assert.deepStrictEqual(
      wrongs.filter((wrong) => !wrong.includes("ERR_FAILED")),
      []
    )
    await page.close()
  })

  it("explains a key, flushes after asking, changes a setting and resets it, by keyboard alone", async () => {
    const { page, wrongs } = await open()
    await page.focus("#key")
    await page.keyboard.type("dev")
    await page.keyboard.press("Enter")
    await page.waitForSelector("#settings tbody tr", { state: "attached" })

    await page.focus("#explain-key")
    await page.keyboard.type("quote-1")
    await page.keyboard.press("Enter")
    await page.waitForSelector("#explained pre")
    assert.include(await page.textContent("#explained"), "shard-0")

    await page.focus('[data-operation="flush"] button')
    await page.keyboard.press("Enter")
    await page.waitForSelector("#confirm[open]")
    await page.focus("#confirm-yes")
    await page.keyboard.press("Enter")
    await page.waitForSelector('#outcome:has-text("flushed")')

    await page.selectOption("#setting-name", "MAX_BATCH_KEYS")
    await page.fill("#setting-value", "77")
    await page.fill("#setting-reason", "to see it")
    await page.keyboard.press("Enter")
    await page.waitForSelector('#setting-outcome:has-text("is changed")')
    const metadata = async () =>
      (
        (await (await fetch(`${origin}/api/v1/cache/metadata`, { headers })).json()) as {
          limits: { batchKeys: number }
        }
      ).limits.batchKeys
    assert.strictEqual(await metadata(), 77)
    await page.focus("#setting-reset")
    await page.keyboard.press("Space")
    await page.waitForSelector('#setting-outcome:has-text("is reset")')
    assert.strictEqual(await metadata(), 1000)
    assert.include(await page.textContent("#history"), "to see it")
    assert.deepStrictEqual(wrongs, [])
    await page.close()
  })

  it("shows what a migration would bill before it does anything, by mouse", async () => {
    const { page } = await open()
    await signIn(page)
    await page.click('[data-operation="migrate"] button')
    await page.waitForSelector("#confirm[open]")
    assert.include(await page.textContent("#confirm-text"), '"dryRun": true')
    await page.click("#confirm button[value=no]")
    await page.waitForSelector('#outcome:has-text("cancelled")')
    await page.close()
  })

  it("moves by itself while requests come", async () => {
    const { page } = await open()
    await signIn(page)
    const before = Number(await page.getAttribute('[data-figure="total.reads"]', "data-value"))
    for (let i = 0; i < 10; i++) await (await fetch(`${origin}/api/v1/cache/default/quote-1`, { headers })).text()
    let shown = before
    for (let tries = 0; tries < 200 && shown < before + 10; tries++) {
      await page.waitForTimeout(100)
      shown = Number(await page.getAttribute('[data-figure="total.reads"]', "data-value"))
    }
    assert.isAtLeast(shown, before + 10)
    await page.close()
  })

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, viewport] of [
      ["desk", { width: 1200, height: 900 }],
      ["phone", { width: 390, height: 844 }]
    ] as const) {
      it(`has nothing that axe finds, and nothing wider than the screen: ${colorScheme}, ${name}`, async () => {
        const { page } = await open({ colorScheme, viewport, bypassCSP: true })
        await signIn(page)
        await page.waitForSelector(".uplot")
        assert.deepStrictEqual(await violationsOf(page), [])
        const overflow = await page.evaluate(
          `document.documentElement.scrollWidth - document.documentElement.clientWidth`
        )
        assert.isAtMost(overflow as number, 0)
        if (process.env.SCREENSHOTS !== undefined) {
          await page.screenshot({ path: join(screenshots, `dashboard-${name}-${colorScheme}.png`) })
        }
        await page.close()
      })
    }
  }
})
