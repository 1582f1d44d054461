import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import hono from "../../examples/hono-app/worker.ts"
import migrated, { notes } from "../../examples/plain-worker/worker.ts"
import scheduled from "../../examples/scheduled-worker/worker.ts"
import { larderStats } from "../../src/entry/facade/namespace.ts"
import { renewedObject } from "../support/durable/renewedObject.ts"

renewedObject("limits-0")

const { CACHE_DO, CACHE_KV } = env as { CACHE_KV: KVNamespace; CACHE_DO: DurableObjectNamespace }

/** A binding of its own, so that no facade of another test is found for it. */
const another = (): KVNamespace =>
  new Proxy(CACHE_KV, {
    get: (target, name) => (Reflect.get(target, name) as (...args: ReadonlyArray<unknown>) => unknown).bind(target)
  })

const asking =
  <Env>(worker: ExportedHandler<Env>, bindings: Env) =>
  async (path: string, init?: RequestInit) => {
    const context = createExecutionContext()
    const answer = (await worker.fetch!(new Request(`http://w${path}`, init) as never, bindings, context)) as Response
    await waitOnExecutionContext(context)
    return answer
  }

describe.each([
  ["as it was", notes],
  ["migrated by one line", migrated]
])("the plain Worker, %s", (_, worker) => {
  it("keeps notes, and answers bad input as it should", async () => {
    const ask = asking(worker, { NOTES: another() })
    expect((await ask("/milk", { method: "PUT", body: "two" })).status).toBe(204)
    expect(await (await ask("/milk")).text()).toBe("two")
    expect(await (await ask("/")).json()).toContain("milk")
    expect((await ask("/milk", { method: "DELETE" })).status).toBe(204)
    expect((await ask("/milk")).status).toBe(404)
    expect((await ask("/NO")).status).toBe(400)
    expect((await ask("/milk", { method: "POST" })).status).toBe(405)
  })
})

describe("the migrated Worker", () => {
  it("saves the reads that memory answers", async () => {
    const NOTES = another()
    const ask = asking(migrated, { NOTES })
    await ask("/often", { method: "PUT", body: "x" })
    for (let i = 0; i < 10; i++) await ask("/often")
    const { asked, billed } = larderStats(NOTES)
    expect(asked.reads).toBe(10)
    expect(billed.reads).toBe(0)
  })
})

describe("the Hono app", () => {
  it("keeps answers, refuses bad input, and limits a client", async () => {
    const ask = asking(hono, { KV: another(), CACHE_DO })
    const from = (ip: string) => ({ headers: { "CF-Connecting-IP": ip } })
    expect(await (await ask("/cities/bern", from("1"))).json()).toEqual({ city: "bern", length: 4 })
    expect((await ask("/cities/b3rn", from("1"))).status).toBe(400)
    let taken = 2
    for (let status = 200; status === 200; taken++) {
      status = (await ask("/cities/bern", from("1"))).status
      expect([200, 429]).toContain(status)
    }
    // Thirty a minute: more only where a minute ended meanwhile.
    expect(taken - 1).toBeGreaterThanOrEqual(30)
    expect(taken - 1).toBeLessThanOrEqual(60)
    expect((await ask("/cities/bern", from("2"))).status).toBe(200)
  })
})

describe("the scheduled Worker", () => {
  it("writes only what changed", async () => {
    const RATES = another()
    const run = async () => {
      const context = createExecutionContext()
      await (scheduled as ExportedHandler<{ RATES: KVNamespace }>).scheduled!({} as never, { RATES }, context)
      await waitOnExecutionContext(context)
    }
    await run()
    await run()
    expect(larderStats(RATES).billed.writes).toBe(2)
    const ask = asking(scheduled, { RATES })
    expect(await (await ask("/EUR")).text()).toBe("1")
    expect((await ask("/eur")).status).toBe(400)
    expect((await ask("/CHF")).status).toBe(404)
  })
})
