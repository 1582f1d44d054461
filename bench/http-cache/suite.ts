import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

/** One test of the suite: what it asks for, and the tests without which its result says nothing. */
export interface SuiteTest {
  readonly id: string
  readonly name: string
  readonly kind?: "required" | "optimal" | "check"
  readonly depends_on?: ReadonlyArray<string>
  readonly browser_only?: boolean
}

/** True when it passed; else the kind of failure and its message. */
export type SuiteResult = true | readonly [string, string]

const root = dirname(createRequire(import.meta.url).resolve("http-cache-tests/package.json"))

const load = async <A>(path: string): Promise<A> => (await import(join(root, path))) as A

/** The tests for shared caches; those for browsers, and those of the withdrawn Surrogate-Control, are left out. */
export const loadTests = async () => {
  const { default: groups } = await load<{ default: ReadonlyArray<{ id: string; tests: ReadonlyArray<SuiteTest> }> }>(
    "tests/index.mjs"
  )
  return groups
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const reachable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true))
    socket.on("error", () => resolve(false)).on("connect", () => socket.destroy())
  })

/** The suite's own origin server, in a process of its own. */
export const startOrigin = async (): Promise<{ readonly url: string; readonly stop: () => void }> => {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), "http-cache-"))
  const origin: ChildProcess = spawn(process.execPath, [join(root, "server/server.mjs")], {
    cwd: folder,
    stdio: "ignore",
    env: { ...process.env, npm_config_protocol: "http", npm_config_port: String(port), npm_config_pidfile: "pid" }
  })
  while (!(await reachable(port))) {
    if (origin.exitCode !== null) throw new Error("the suite's origin server did not start")
    await sleep(50)
  }
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      origin.kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Node's fetch asks for no cache where a request has a condition, unless it says what it wants. */
const client = (url: string, { cache: _, ...init }: RequestInit & { cache?: string }) => {
  const headers = new Headers(init.headers)
  if (!headers.has("cache-control")) headers.set("cache-control", "nothing-to-see-here")
  if (!headers.has("pragma")) headers.set("pragma", "nothing-to-see-here")
  const send = () => fetch(url, { ...init, headers })
  // A connection that the server closes while it is chosen for a request is no answer.
  return send().catch(send)
}

/** Tests that run at once. They count seconds, so that too many on a busy machine would fail each other. */
const atOnce = 50

export const runTests = async (
  groups: Awaited<ReturnType<typeof loadTests>>,
  base: string
): Promise<Readonly<Record<string, SuiteResult>>> => {
  const runner = await load<{
    runTests: (tests: unknown, fetch: unknown, browser: boolean, base: string, atOnce: number) => Promise<void>
    getResults: () => Record<string, SuiteResult>
  }>("client/runner.mjs")
  await runner.runTests(groups, (url: string, init: RequestInit = {}) => client(url, init), false, base, atOnce)
  return runner.getResults()
}
