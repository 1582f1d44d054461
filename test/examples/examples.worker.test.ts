import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { describe, expect, it } from "vitest"
import quotes, { makeWorker, SourceError } from "../../examples/effect-app/worker.ts"
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

describe("the Effect app", () => {
  const bindings = () => ({ CACHE_KV: another(), EDGE_TIER: "off" })

  it("reads through the default stack, loads once, and refuses bad input", async () => {
    let loads = 0
    const worker = makeWorker((symbol) =>
      Effect.sync(() => {
        loads++
        return symbol === "NONE" ? Option.none() : Option.some({ symbol, cents: 1 })
      })
    )
    const ask = asking(worker, bindings())
    const symbol = `A${Math.random().toString(36).slice(2)}`
      .replace(/[^a-z]/gi, "")
      .slice(0, 5)
      .toUpperCase()
    const bodies = await Promise.all([1, 2, 3].map(async () => (await ask(`/${symbol}`)).json()))
    expect(bodies).toEqual([1, 2, 3].map(() => ({ symbol, cents: 1 })))
    expect(loads).toBe(1)
    expect((await ask("/NONE")).status).toBe(404)
    expect((await ask("/aapl")).status).toBe(400)
    const { total } = (await (await ask("/ledger")).json()) as { total: { kv: { writes: number } } }
    expect(total.kv.writes).toBeLessThanOrEqual(2)
    expect((await asking(quotes, bindings())("/AAPL")).status).toBe(200)
  })

  it("answers 503 where the source fails and nothing is kept", async () => {
    const ask = asking(
      makeWorker((symbol) => Effect.fail(new SourceError({ symbol }))),
      bindings()
    )
    expect((await ask("/DOWN")).status).toBe(503)
  })
})
