// Builds the package into dist/: ES modules that share what they have in common, with Effect inside but for the entry
// points of Effect's own users, and one self-contained declaration file for each entry point.
import { rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { rollup } from "rollup"
import { dts } from "rollup-plugin-dts"
import { annotatePure } from "./annotate-pure.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const out = `${root}dist`

/** By name in dist: the file in src. */
const selfContained = {
  index: "src/entry/package/larder.ts",
  "http-cache": "src/entry/package/http-cache.ts",
  durable: "src/entry/package/durable.ts"
}

/** Effect's fiber can run an effect of its small sibling, of which there is none in here: 9 KB of every bundle. */
const withoutMicro = {
  name: "without-micro",
  setup(build) {
    build.onLoad({ filter: /[\\/]effect[\\/]dist[\\/]esm[\\/]Micro\.js$/ }, () => ({
      contents:
        "export const runFork = () => { throw new Error('a Micro effect') }\nexport const provideContext = runFork"
    }))
  }
}

/** No self-contained entry point reads Effect's configuration: 3 KB of every bundle. */
const withoutConfiguration = {
  name: "without-configuration",
  setup(build) {
    build.onLoad({ filter: /[\\/]effect[\\/]dist[\\/]esm[\\/]internal[\\/]configProvider\.js$/ }, () => ({
      contents: `import * as Context from "../Context.js"
        export const configProviderTag = /* @__PURE__ */ Context.GenericTag("effect/ConfigProvider")
        export const fromEnv = () => ({ load: () => { throw new Error("no configuration") } })`
    }))
  }
}

rmSync(out, { recursive: true, force: true })

await build({
  absWorkingDir: root,
  entryPoints: selfContained,
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["workerd", "worker"],
  external: ["node:*", "cloudflare:*"],
  chunkNames: "chunks/[name]-[hash]",
  legalComments: "none",
  plugins: [annotatePure, withoutMicro, withoutConfiguration]
})

const declarations = await rollup({
  input: Object.fromEntries(Object.entries(selfContained).map(([name, file]) => [name, root + file])),
  external: (id) => !id.startsWith(".") && !id.startsWith("/"),
  plugins: [dts({ tsconfig: `${root}tsconfig.json` })],
  onwarn: (warning) => {
    if (warning.code !== "UNUSED_EXTERNAL_IMPORT") throw new Error(warning.message)
  }
})
await declarations.write({ dir: out, format: "es", chunkFileNames: "chunks/[name].d.ts" })
await declarations.close()
