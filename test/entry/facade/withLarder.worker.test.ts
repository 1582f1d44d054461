import { createExecutionContext, env } from "cloudflare:test"
import { WorkerEntrypoint } from "cloudflare:workers"
import { describe, expect, it, vi } from "vitest"
import { cached, kvNamespace, larder, larderStats } from "../../../src/entry/facade/namespace.ts"
import { withLarder } from "../../../src/entry/facade/withLarder.ts"

interface Env {
  readonly CACHE_KV: KVNamespace
  readonly CACHE_DO_KV: KVNamespace
  readonly NAME: string
}

const bindings = { ...(env as unknown as Env), NAME: "a variable" }

const seen = (worker: ExportedHandler<Env>) =>
  worker.fetch!(new Request("http://worker/") as never, bindings, createExecutionContext())

describe("a Worker behind Larder", () => {
  it("finds facades in place of its namespaces, and everything else as it was", async () => {
    const worker = withLarder<ExportedHandler<Env>>({
      fetch: async (_, { CACHE_KV, NAME }) => {
        await CACHE_KV.put("wrapped", "x")
        for (let i = 0; i < 10; i++) expect(await CACHE_KV.get("wrapped")).toBe("x")
        expect(CACHE_KV).not.toBe(bindings.CACHE_KV)
        return Response.json({ name: NAME, stats: larderStats(CACHE_KV).billed })
      }
    })
    const before = larderStats(bindings.CACHE_KV).billed
    const answer = (await (await seen(worker)).json()) as { name: string; stats: { reads: number; writes: number } }
    expect(answer.name).toBe("a variable")
    expect(answer.stats.reads - before.reads).toBe(0)
    expect(answer.stats.writes - before.writes).toBe(1)
  })

  it("wraps only the bindings it is told to", async () => {
    const worker = withLarder<ExportedHandler<Env>>(
      {
        fetch: (_, env) => Response.json([env.CACHE_KV === bindings.CACHE_KV, env.CACHE_DO_KV === bindings.CACHE_DO_KV])
      },
      { bindings: ["CACHE_DO_KV"] }
    )
    expect(await (await seen(worker)).json()).toEqual([true, false])
  })

  it("says which binding is no namespace", () => {
    const worker = withLarder<ExportedHandler<Env>>({ fetch: () => new Response() }, { bindings: ["NAME"] })
    expect(() => seen(worker)).toThrow("withLarder: the binding NAME is no KV namespace")
  })

  it("may be a class, whose methods stay", async () => {
    class Greeter extends WorkerEntrypoint<Env> {
      greet() {
        return this.env.CACHE_KV !== bindings.CACHE_KV && this.env.NAME
      }
    }
    const Wrapped = withLarder(Greeter)
    expect(new Wrapped(createExecutionContext(), bindings).greet()).toBe("a variable")
  })

  it("wraps a namespace once", () => {
    const context = createExecutionContext()
    const once = kvNamespace(bindings.CACHE_KV, context)
    expect(kvNamespace(once, context)).toBe(once)
  })

  it("tells the ledger in a header or in a line of the log, when asked to", async () => {
    const handler: ExportedHandler<Env> = { fetch: async (_, { CACHE_KV }) => new Response(await CACHE_KV.get("told")) }
    const { headers } = await seen(withLarder(handler, { report: "header" }))
    expect(headers.get("Larder-Ledger")).toMatch(
      /^asked="\d+\/\d+\/\d+\/\d+", billed="[\d/]+", saved-usd=-?\d+\.\d{6}$/
    )
    const log = vi.spyOn(console, "info").mockImplementation(() => {})
    const plain = await seen(withLarder(handler, { report: "log" }))
    expect(plain.headers.get("Larder-Ledger")).toBe(null)
    const [line] = log.mock.lastCall as [string]
    expect(JSON.parse(line)).toMatchObject({ level: "INFO", message: expect.stringMatching(/^larder: asked=/) })
    log.mockRestore()
    class Told extends WorkerEntrypoint<Env> {
      override async fetch() {
        return new Response(await this.env.CACHE_KV.get("told"))
      }
    }
    const Wrapped = withLarder(Told, { report: "header" })
    const answer = await new Wrapped(createExecutionContext(), bindings).fetch()
    expect(answer.headers.get("Larder-Ledger")).toMatch(/^asked=/)
  })

  it("sums its ledger over all namespaces, by the names of their bindings", async () => {
    const worker = withLarder<ExportedHandler<Env>>({
      scheduled: async (_, { CACHE_DO_KV, CACHE_KV }) => {
        await Promise.all([CACHE_KV.get("summed"), CACHE_DO_KV.get("summed")])
      }
    })
    const before = larder.ledger()
    await worker.scheduled!({} as never, bindings, createExecutionContext())
    const { asked, byNamespace } = larder.ledger()
    expect(asked.reads - before.asked.reads).toBe(2)
    expect(Object.keys(byNamespace)).toContain("CACHE_DO_KV")
  })

  it("works where no context is at hand, and writes through there", async () => {
    const kv = kvNamespace(bindings.CACHE_KV, undefined, { write: "behind" })
    await kv.put("unattended", "x")
    expect(await bindings.CACHE_KV.get("unattended")).toBe("x")
    expect(await cached(bindings.CACHE_KV, undefined, "unattended:made", () => 1, { ttl: 60 })).toBe(1)
  })
})
