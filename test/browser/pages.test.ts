import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

let server: ChildProcess
let browser: Browser
let origin: string

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address() as { port: number }
  probe.close()
  return port
}

const untilServed = async (url: string): Promise<void> => {
  for (let attempt = 0; attempt < 300; attempt++) {
    const up = await fetch(url).then(
      (response) => response.ok,
      () => false
    )
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`nothing answers at ${url}`)
}

beforeAll(async () => {
  const port = await freePort()
  const state = mkdtempSync(join(tmpdir(), "larder-browser-"))
  origin = `http://localhost:${port}`
  const given = ["--port", `${port}`, "--persist-to", state, "--inspector-port", `${await freePort()}`]
  server = spawn(process.execPath, ["scripts/start.mjs", ...given], { stdio: "ignore" })
  await untilServed(`${origin}/api/v1/data/health`)
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
  })
})

afterAll(async () => {
  await browser?.close()
  server?.kill()
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
})
