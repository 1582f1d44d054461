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

  it("shows days, crons, keys, requests and problems as the API has them", async () => {
    await (await fetch(`${origin}/api/v1/cache/no-such/x`, { headers })).text()
    const { given, page, wrongs } = await open()
    await page.route("**/monitor/stream", (route) => route.abort())
    const answers = new Map<string, Record<string, Array<Record<string, unknown>>>>()
    page.on("response", async (response) => {
      const { pathname } = new URL(response.url())
      if (/\/monitor\/(reports|lately)$/.test(pathname)) answers.set(pathname.slice(16), await response.json())
    })
    await signIn(page)
    await page.waitForSelector("#keys tbody tr")
    const rows = (id: string) =>
      page.$$eval(`#${id} tbody tr`, (found) =>
        found.map((row) => [...row.querySelectorAll("th,td")].map((cell) => cell.textContent ?? ""))
      )
    const { reports } = answers.get("reports")!
    const { requests, topKeys } = answers.get("lately")!
    const { crons, problems } = given() as Record<string, Array<Record<string, unknown>>>
    const days = await rows("days")
    assert.strictEqual(days.length, reports!.length)
    assert.include(days[0]![0]!, reports![0]!.date as string)
    assert.deepStrictEqual(
      (await rows("keys")).map(([key, count]) => [key, Number(count)]),
      topKeys!.map(({ count, key }) => [decodeURIComponent(key as string), count])
    )
    assert.deepStrictEqual(
      (await rows("requests")).map((row) => Number(row[2])),
      requests!.map(({ status }) => status)
    )
    assert.deepStrictEqual(
      (await rows("problems")).map(([kind, status, times]) => [kind, Number(status), Number(times)]),
      problems!.map(({ count, kind, status }) => [kind, status, count])
    )
    assert.include((await rows("problems")).flat(), "no-such-collection")
    assert.strictEqual((await rows("crons")).length, crons!.length)
    assert.include((await rows("shards"))[0]!.join(" "), "shard 0")
    assert.isAbove((await page.$$("#day-text li")).length, 1)
    await page.click("#advise")
    await page.waitForSelector('#indexes li:has-text("by")')
    assert.deepStrictEqual(
      wrongs.filter((wrong) => !wrong.includes("ERR_FAILED")),
      []
    )
    await page.close()
  })

  it("applies a recommendation, which is then among the settings with its reason", async () => {
    const { page, wrongs } = await open()
    const recommendation = {
      id: "memory-larger",
      title: "Give the memory tier more bytes",
      figure: "1,000 entries were displaced in 60 minutes, at 5,000 reads",
      setting: { name: "CLEAR_KEYS", value: "123" },
      saves: { operationsPerMonth: 1000, usdPerMonth: 1.5 },
      risk: "None that this test knows of."
    }
    let asked = 0
    await page.route("**/monitor/recommendations", async (route) => {
      asked += 1
      const response = await route.fetch()
      const json = await response.json()
      await route.fulfill({ response, json: asked === 1 ? { ...json, recommendations: [recommendation] } : json })
    })
    await signIn(page)
    await page.focus('[data-recommendation="memory-larger"] button')
    await page.keyboard.press("Enter")
    await page.waitForSelector("#applied p")
    assert.include(await page.textContent("#applied"), "memory-larger (CLEAR_KEYS) was applied")
    assert.include(await page.textContent("#applied"), "$1.5 a month, not measured yet")
    const config = await (await fetch(`${origin}/api/v1/config`, { headers })).json()
    const { settings } = config as { settings: Array<{ name: string; value: string; reason?: string }> }
    const set = settings.find(({ name }) => name === "CLEAR_KEYS")
    assert.strictEqual(set?.value, "123")
    assert.match(set?.reason ?? "", /^recommendation memory-larger, expected \$1\.500000 a month/)
    await fetch(`${origin}/api/v1/config/CLEAR_KEYS`, { method: "DELETE", headers })
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
