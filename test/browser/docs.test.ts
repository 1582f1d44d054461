import { execFile } from "node:child_process"
import { promisify } from "node:util"
import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { violationsOf } from "../support/axe.ts"
import { type Served, serve } from "../support/served.ts"

const shell = promisify(execFile)

let served: Served

beforeAll(async () => {
  served = await serve()
})

afterAll(() => served?.close())

const open = async (options: Parameters<Served["browser"]["newPage"]>[0] = {}, hash = ""): Promise<Page> => {
  const page = await served.browser.newPage({ bypassCSP: true, ...options })
  await page.goto(`${served.origin}/docs${hash}`)
  await page.waitForSelector("details details")
  return page
}

/** The page's own script, as text: this file knows no DOM. */
const openAll = (page: Page): Promise<unknown> =>
  page.evaluate(`(async () => {
    for (let closed = []; (closed = document.querySelectorAll("details:not([open])")).length > 0; ) {
      for (const it of closed) it.open = true
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()`)

const phone = { viewport: { width: 375, height: 667 } }

const isTooWide = (page: Page): Promise<boolean> =>
  page.evaluate("document.documentElement.scrollWidth > window.innerWidth")

describe("/docs, in a browser", () => {
  it("fits a phone, closed and with everything open, and is short as long as nothing is open", async () => {
    const page = await open(phone)
    assert.isFalse(await isTooWide(page))
    assert.isBelow(await page.evaluate<number>("document.documentElement.scrollHeight"), 8000)
    await openAll(page)
    assert.isFalse(await isTooWide(page))
    await page.close()
  })

  it("has nothing that axe finds wrong, in both themes, closed and open", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await open({ colorScheme })
      assert.deepStrictEqual(await violationsOf(page), [])
      await openAll(page)
      assert.deepStrictEqual(await violationsOf(page), [])
      await page.close()
    }
  })

  it("has a curl line for every operation, which a shell runs and the Worker does not refuse for its form", async () => {
    const page = await open()
    await openAll(page)
    const lines = await page.$$eval("pre.curl", (all) => all.map((it) => it.textContent ?? ""))
    const { paths } = (await (await fetch(`${served.origin}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { requestBody?: object }>>
    }
    const operations = Object.values(paths).flatMap((item) => Object.values(item))
    assert.strictEqual(lines.length, operations.length)
    assert.isAbove(lines.length, 50)
    const refused: Array<string> = []
    for (const line of lines) {
      assert.strictEqual(/ --data-binary /.test(line), / -H 'Content-Type: /.test(line), line)
      const { stdout } = await shell("sh", ["-c", `${line} -s -m 5 -o /dev/null -w '%{http_code}' || true`])
      if (["000", "400", "401", "405", "415", "422", "500"].includes(stdout)) refused.push(`${stdout} ${line}`)
    }
    assert.deepStrictEqual(refused, [])
    await page.close()
  })

  it("sends what its form says, by keyboard alone, with a key that stays in the session", async () => {
    const page = await open({}, "#entries.put")
    await page.focus("#key")
    await page.keyboard.type("dev")
    const form = '[id="entries.put"]'
    await page.focus(`${form} [name="body"]`)
    await page.keyboard.press("Control+A")
    await page.keyboard.type("it's typed")
    assert.include((await page.textContent(`${form} pre.curl`)) ?? "", "'it'\\''s typed'")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.waitForSelector(`${form} pre:text-matches("^20[14] ")`)
    const read = await fetch(`${served.origin}/api/v1/cache/default/greeting`, { headers: { "X-API-KEY": "dev" } })
    assert.strictEqual(await read.text(), "it's typed")
    assert.notInclude(page.url(), "dev")
    assert.strictEqual(await page.evaluate("localStorage.length"), 0)
    await page.reload()
    await page.waitForSelector("#key")
    assert.strictEqual(await page.inputValue("#key"), "dev")
    await page.close()
    const other = await open()
    assert.strictEqual(await other.inputValue("#key"), "")
    await other.close()
  })

  it("opens an operation and shows it with the keyboard", async () => {
    const page = await open()
    await page.focus('[id="ledger.report"] > summary')
    await page.keyboard.press("Enter")
    await page.waitForSelector('[id="ledger.report"] pre.curl')
    await page.close()
  })
})
