import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { assert, describe, it } from "vitest"

const bundled = async (entry: string) => {
  const { metafile, outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../../../src/entry/${entry}`, import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    external: ["node:*", "cloudflare:*"],
    target: "es2023",
    metafile: true,
    write: false
  })
  const [output] = Object.values(metafile.outputs)
  const inputs = Object.entries(output!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return { text: outputFiles[0]!.text, inputs: inputs.map(([path]) => path) }
}

const mostBytes = 68 * 1024

describe("the bundle of withHttpCache", () => {
  it("needs no compatibility flag, and neither the HTTP API nor Schema", async () => {
    const { inputs, text } = await bundled("http-cache/withHttpCache.ts")
    assert.notMatch(text, /["']node:/)
    assert.deepStrictEqual(
      inputs.filter((path) => /@effect\/platform|effect\/.*\/Schema\.js$|services\/settings/.test(path)),
      []
    )
    assert.isBelow(gzipSync(text, { level: 9 }).byteLength, mostBytes)
  })

  it("is no part of the cache alone", async () => {
    const core = existsSync(new URL("../../../src/entry/core.ts", import.meta.url)) ? "core.ts" : "worker.ts"
    const { inputs } = await bundled(core)
    assert.deepStrictEqual(
      inputs.filter((path) => path.includes("http-cache") || path.includes("structured-headers")),
      []
    )
  })
})
