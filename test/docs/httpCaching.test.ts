import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { Miniflare } from "miniflare"
import { assert, describe, it } from "vitest"
import { moduleOf } from "../support/miniflare.ts"

const page = readFileSync(new URL("../../docs/http-caching.md", import.meta.url), "utf8")
const snippets = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!)

const entries: Record<string, string> = {
  "larder-kv/http-cache": fileURLToPath(new URL("../../src/entry/http-cache/withHttpCache.ts", import.meta.url)),
  "larder-kv/durable": fileURLToPath(new URL("../../src/entry/package/durable.ts", import.meta.url)),
  "larder-kv/http-cache/effect": fileURLToPath(new URL("../../src/entry/http-cache/cachedApp.ts", import.meta.url))
}

const run = async (code: string): Promise<Miniflare> => {
  const { outputFiles } = await build({
    stdin: { contents: code, loader: "ts", resolveDir: fileURLToPath(new URL("../..", import.meta.url)) },
    alias: entries,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    external: ["node:*", "cloudflare:*"],
    target: "es2023",
    write: false
  })
  return new Miniflare({
    ...moduleOf(outputFiles[0]!.text),
    ...(code.includes("CacheDurableObject")
      ? { durableObjects: { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } } }
      : {}),
    cf: false,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }]
  })
}

describe("docs/http-caching.md", () => {
  it("has its snippets", () => assert.strictEqual(snippets.length, 4))

  for (const [at, code] of snippets.entries()) {
    it(`snippet ${at + 1} answers its second request from the cache`, async () => {
      const worker = await run(code)
      try {
        const base = await worker.unsafeGetDirectURL()
        const ask = async (path: string) => {
          const response = await fetch(new URL(path, base))
          await response.text()
          return response.headers.get("cache-status") ?? ""
        }
        assert.include(await ask("/products/7"), "Larder; fwd=uri-miss; stored")
        assert.match(await ask("/products/7"), /^Larder; hit; ttl=\d+; detail=memory$/)
        if (code.includes("/changed")) {
          await ask("/changed")
          assert.include(await ask("/products/7"), "Larder; fwd=uri-miss; stored")
        }
      } finally {
        await worker.dispose()
      }
    })
  }
})
