import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { afterEach, describe, expect, it, vi } from "vitest"
import { incrementalCache } from "../../../src/entry/adapters/opennext.ts"
import { durable } from "../../../src/entry/facade/durableStore.ts"
import { cached, kvNamespace } from "../../../src/entry/facade/namespace.ts"
import { withLarder } from "../../../src/entry/facade/withLarder.ts"

afterEach(() => vi.restoreAllMocks())

type Line = Readonly<Record<string, unknown>>

/** What is printed from now on. */
const printed = (): ReadonlyArray<unknown> => {
  const lines: Array<unknown> = []
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => void lines.push(...args))
  }
  return lines
}

const parsed = (lines: ReadonlyArray<unknown>): ReadonlyArray<Line> =>
  lines.map((line) => JSON.parse(line as string) as Line)

const fails = async (): Promise<never> => {
  throw new Error("KV PUT failed: 500 Internal Server Error")
}

/** A namespace that takes no writes. */
const failing = () =>
  ({
    getWithMetadata: async () => ({ value: null, metadata: null }),
    put: fails,
    delete: fails
  }) as unknown as KVNamespace

const unreachable = { getMany: async () => [], apply: fails, lease: fails }
const objects = { idFromName: () => ({}), get: () => unreachable, getByName: () => unreachable }

const loading = async (binding: KVNamespace, store: boolean): Promise<ReadonlyArray<Line>> => {
  const lines = printed()
  const context = createExecutionContext()
  const options = store ? { store: durable({ objects: objects as unknown as DurableObjectNamespace }) } : {}
  const kv = kvNamespace(binding, context, options, "SESSIONS")
  await cached(kv, context, "user:1", () => ({ name: "Ada" }), { ttl: 300 })
  await waitOnExecutionContext(context)
  return parsed(lines)
}

describe("what the facade logs", () => {
  it.each([
    ["KV", false],
    ["objects", true]
  ] as const)("is a JSON object a line: a loaded value that %s does not take, by binding and key", async (_, store) => {
    const lines = await loading(failing(), store)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      level: "WARN",
      message: "background work failed",
      binding: "SESSIONS",
      key: "user:1",
      cause: { name: "KvError", operation: "put", reason: "Unavailable", cause: { message: expect.any(String) } }
    })
  })

  it("is so of its report, and of a cache of OpenNext that fails, whatever was thrown", async () => {
    for (const thrown of [
      new Error("gone"),
      new DOMException("aborted", "AbortError"),
      "text",
      { code: 7 },
      Object.create(null)
    ]) {
      const lines = printed()
      const cache = incrementalCache({
        context: () => ({
          ctx: createExecutionContext(),
          env: {
            NEXT_INC_CACHE_KV: { get: () => Promise.reject(thrown), getWithMetadata: () => Promise.reject(thrown) }
          }
        })
      })
      expect(await cache.get("page", "cache")).toBe(null)
      const [line] = parsed(lines)
      expect(line).toMatchObject({ level: "ERROR", message: expect.stringContaining("larder-kv/opennext") })
      expect(JSON.stringify(line)).not.toMatch(/"(cause|details)":\{\}/)
      expect(line).toHaveProperty(
        line && "cause" in line ? "cause" : typeof thrown === "string" ? "message" : "details"
      )
    }
    const lines = printed()
    const worker = withLarder<ExportedHandler>({ fetch: () => new Response() }, { report: "log" })
    await worker.fetch!(new Request("http://worker/") as never, env as never, createExecutionContext())
    expect(parsed(lines)).toMatchObject([{ level: "INFO", message: expect.stringMatching(/^larder: asked=/) }])
  })
})
