import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Browser, chromium } from "playwright-core"

/** What `npm start` serves, on storage of its own, and a browser in front of it. */
export interface Served {
  readonly origin: string
  readonly browser: Browser
  readonly close: () => Promise<void>
}

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address() as { port: number }
  probe.close()
  return port
}

const untilServed = async (url: string): Promise<void> => {
  for (let attempt = 0; attempt < 600; attempt++) {
    const up = await fetch(url).then(
      (response) => response.ok,
      () => false
    )
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`nothing answers at ${url}`)
}

const launched = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
  })

export const serve = async (): Promise<Served> => {
  const port = await freePort()
  const state = mkdtempSync(join(tmpdir(), "larder-browser-"))
  const origin = `http://localhost:${port}`
  const given = ["--port", `${port}`, "--persist-to", state, "--inspector-port", `${await freePort()}`]
  const server: ChildProcess = spawn(process.execPath, ["scripts/start.mjs", ...given], { stdio: "ignore" })
  try {
    await untilServed(`${origin}/api/v1/data/health`)
    const browser = await launched()
    const close = async () => {
      await browser.close()
      server.kill()
    }
    return { origin, browser, close }
  } catch (error) {
    server.kill()
    throw error
  }
}
