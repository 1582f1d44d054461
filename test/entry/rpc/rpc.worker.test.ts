import { createExecutionContext, env } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import { larderEntrypoint } from "../../../src/entry/rpc/rpc.ts"

const { CACHE_KV: KV } = env as { CACHE_KV: KVNamespace }

describe("an entry point for service bindings", () => {
  const Larder = larderEntrypoint()
  const open = (bindings: object = { KV }) => new Larder(createExecutionContext(), bindings)

  it("has the operations of a namespace", async () => {
    const larder = open()
    await larder.put("rpc:a", "A", { metadata: { m: 1 }, expirationTtl: 120 })
    await larder.put("rpc:b", new Uint8Array([1, 2]).buffer)
    expect(await larder.get("rpc:a")).toBe("A")
    expect([...new Uint8Array((await larder.getBytes("rpc:b"))!)]).toEqual([1, 2])
    const keys = Array.from({ length: 150 }, (_, at) => `rpc:${at}`)
    expect((await larder.getMany(["rpc:a", ...keys])).get("rpc:a")).toBe("A")
    const page = await larder.list({ prefix: "rpc:", limit: 1 })
    expect(page.keys).toMatchObject([{ name: "rpc:a", metadata: { m: 1 } }])
    expect((await larder.list({ prefix: "rpc:", cursor: page.cursor! })).keys.map(({ name }) => name)).toEqual([
      "rpc:b"
    ])
    await larder.delete("rpc:a")
    expect(await larder.get("rpc:a")).toBe(null)
  })

  it("gives a session for several calls of one request", async () => {
    const session = open().session()
    await session.put("rpc:s", "1")
    expect(await session.get("rpc:s")).toBe("1")
  })

  it("says which binding is missing", () => {
    expect(() => open({}).get("x")).toThrow("no KV namespace is bound as KV")
  })
})
