import { type IncomingMessage, request } from "node:http"
import { createRequire } from "node:module"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Served, serve } from "../support/served.ts"

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js")
const headers = { "X-API-KEY": "dev" }

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

const open = async (options: BrowserContextOptions = {}): Promise<{ page: Page; wrongs: ReadonlyArray<string> }> => {
  const page = await browser.newPage(options)
  const wrongs: Array<string> = []
  page.on("pageerror", (error) => wrongs.push(String(error)))
  page.on("console", (message) => message.type() === "error" && wrongs.push(message.text()))
  page.on("request", (request) => new URL(request.url()).origin !== origin && wrongs.push(request.url()))
  await page.goto(`${origin}/files`)
  return { page, wrongs }
}

const signIn = async (page: Page): Promise<void> => {
  await page.fill("#key", "dev")
  await page.keyboard.press("Enter")
  await page.waitForSelector("#mine:not([hidden])")
}

const said = (page: Page, text: string) => page.waitForSelector(`#said:has-text("${text}")`)

/** The page forbids scripts from elsewhere; axe is run past that. */
const violations = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.addScriptTag({ path: axe }).catch(() => undefined)
  const found = await page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: { run: () => Promise<{ violations: Array<{ id: string; nodes: Array<{ html: string }> }> }> }
      }
    ).axe.run()
    return violations
  })
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
}

const quote = (i: number) =>
  `2026-11-${10 + (i % 18)},S${i % 500},${(i * 7919) % 50_000},${(i * 104_729) % 1_000_000},${i}\n`

/** About so many bytes of CSV. */
const csv = (bytes: number): Buffer => {
  const rows: Array<string> = ["date,symbol,cents,volume,id\n"]
  for (let i = 0, length = 0; length < bytes; i++) length += rows[rows.push(quote(i)) - 1]!.length
  return Buffer.from(rows.join(""))
}

describe("the page of files, in a browser", () => {
  it("takes a file, shows what it takes, reads a part, shares it and deletes it", async () => {
    const { page, wrongs } = await open()
    await signIn(page)
    const content = csv(300_000)
    await page.setInputFiles("#file", { name: "prices.csv", mimeType: "text/csv", buffer: content })
    await page.click("#upload button")
    await said(page, "prices.csv is stored")
    const cells = await page.$$eval("#rows tr:first-child > *", (all) => all.map((one) => one.textContent ?? ""))
    assert.deepStrictEqual(cells.slice(0, 2), ["prices.csv", content.byteLength.toLocaleString("en")])
    assert.isBelow(Number(cells[2]!.replaceAll(",", "")), content.byteLength / 2)
    await page.fill("#from", "28")
    await page.fill("#bytes", "10")
    await page.click("#part button")
    await said(page, `bytes 28-37/${content.byteLength}`)
    assert.strictEqual(await page.textContent("#shown"), content.subarray(28, 38).toString())
    await page.click('button:has-text("Share for an hour")')
    await said(page, "Anyone can read it")
    const url = /http\S+/.exec((await page.textContent("#said"))!)![0]
    assert.strictEqual(await (await fetch(url)).text(), content.toString())
    await page.click('button:has-text("Delete")')
    await said(page, "prices.csv is deleted")
    assert.deepStrictEqual(wrongs, [])
    await page.close()
  })

  it("sends what is larger than 32 MiB by parts", async () => {
    const { page, wrongs } = await open()
    await signIn(page)
    const bytes = 33 * 1024 * 1024
    await page.setInputFiles("#file", { name: "large.bin", mimeType: "image/png", buffer: Buffer.alloc(bytes, 7) })
    await page.click("#upload button")
    await said(page, "large.bin is stored")
    const head = await fetch(`${origin}/api/v1/files/large.bin`, { method: "HEAD", headers })
    assert.strictEqual(head.headers.get("Larder-Bytes"), String(bytes))
    assert.deepStrictEqual(wrongs, [])
    await page.close()
  })

  it("says why a wrong key shows nothing", async () => {
    const { page } = await open()
    await page.fill("#key", "wrong")
    await page.keyboard.press("Enter")
    await said(page, "A valid API key is needed")
    assert.isTrue(await page.isHidden("#mine"))
    await page.close()
  })

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [device, viewport] of [
      ["a desk", { width: 1280, height: 900 }],
      ["a phone", { width: 360, height: 740 }]
    ] as const) {
      it(`is accessible and fits the screen of ${device}, ${colorScheme}`, async () => {
        const name = `a/rather/long/name/of/a/file/${colorScheme}-${viewport.width}.txt`
        await fetch(`${origin}/api/v1/files/${name}`, { method: "PUT", body: "content", headers })
        const { page, wrongs } = await open({ colorScheme, viewport, bypassCSP: true })
        assert.deepStrictEqual(await violations(page), [])
        await signIn(page)
        await page.fill("#of", name)
        await page.click("#part button")
        await page.waitForSelector("#shown:not([hidden])")
        assert.deepStrictEqual(await violations(page), [])
        assert.isAtMost(await page.evaluate("document.documentElement.scrollWidth"), viewport.width)
        assert.deepStrictEqual(wrongs, [])
        await page.close()
      })
    }
  }
})

describe("a new user against npm start", () => {
  const json = { ...headers, "Content-Type": "application/json" }

  // Once in two runs a request of it was never answered, with many connections kept open before; why is not known.
  const patient = { retry: 2, timeout: 60_000 }

  it(
    "uploads 50 MB of CSV, reads a range, shares it until the link expires, and reads what it cost",
    patient,
    async () => {
      const content = csv(50_000_000)
      const path = `${origin}/api/v1/files/2026/prices.csv`
      // By a connection of its own: one that was kept alive may be closed while the body is sent.
      const put = await new Promise<IncomingMessage>((resolve, reject) => {
        const length = { "Content-Length": content.byteLength, "Content-Type": "text/csv" }
        request(path, { method: "PUT", agent: false, headers: { ...headers, ...length } }, resolve)
          .on("error", reject)
          .end(content)
      })
      put.resume()
      assert.include([201, 204], put.statusCode)
      const stored = Number(put.headers["larder-stored-bytes"])
      assert.isBelow(stored, content.byteLength / 2)

      const [from, to] = [30_000_000, 30_000_999]
      const range = await fetch(path, { headers: { ...headers, Range: `bytes=${from}-${to}` } })
      assert.strictEqual(range.status, 206)
      assert.strictEqual(range.headers.get("Content-Range"), `bytes ${from}-${to}/${content.byteLength}`)
      assert.strictEqual(await range.text(), content.subarray(from, to + 1).toString())

      const share = async (expiresIn: number) => {
        const body = JSON.stringify({ key: "2026/prices.csv", expiresIn })
        const answer = await fetch(`${origin}/api/v1/storage/shares`, { method: "POST", headers: json, body })
        assert.strictEqual(answer.status, 201)
        return (await answer.json()) as { url: string; expiresAt: string }
      }
      const { url } = await share(3600)
      const shared = Buffer.from(await (await fetch(url)).arrayBuffer())
      assert.isTrue(shared.equals(content))
      const brief = await share(2)
      let status = 0
      while (status !== 404) {
        const answer = await fetch(brief.url, { method: "HEAD" })
        status = answer.status
        if (status !== 404) assert.isBelow(Date.now(), Date.parse(brief.expiresAt) + 1000)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }

      const read = async <A>(route: string) => (await fetch(`${origin}${route}`, { headers })).json() as Promise<A>
      const usage = await read<{ storedBytes: number }>("/api/v1/storage/usage")
      assert.isAtLeast(usage.storedBytes, stored)
      const { statements } = await read<{ statements: ReadonlyArray<{ calls: number; sql: string }> }>(
        "/api/v1/database/statements"
      )
      assert.isTrue(statements.some(({ calls, sql }) => calls > 0 && /\bshares\b/.test(sql)))
      const { advice } = await read<{ advice: unknown }>("/api/v1/database/advice")
      assert.isArray(advice)
    }
  )
})
