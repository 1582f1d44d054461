import { createExecutionContext, env } from "cloudflare:test"
import { WorkerEntrypoint } from "cloudflare:workers"
import { describe, expect, it } from "vitest"
import { kvNamespace, larderStats } from "../../../src/entry/facade/namespace.ts"
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
})
