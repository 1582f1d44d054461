// Builds the package into dist/: ES modules that share what they have in common, with Effect inside but for the entry
// points of Effect's own users, and one self-contained declaration file for each entry point.
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { rollup } from "rollup"
import { dts } from "rollup-plugin-dts"
import { asPackaged, withoutConfiguration, withoutMetrics, withoutMicro } from "./bundle-plugins.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const out = `${root}dist`

/** By name in dist: the file in src. With Effect inside, so that two of them share it. */
const selfContained = {
  index: "src/entry/package/larder.ts",
  "http-cache": "src/entry/package/http-cache.ts",
  durable: "src/entry/package/durable.ts",
  limits: "src/entry/limits/limits.ts",
  compression: "src/entry/package/compression.ts",
  database: "src/entry/package/database.ts",
  files: "src/entry/package/files.ts",
  rpc: "src/entry/rpc/rpc.ts",
  keyv: "src/entry/adapters/keyv.ts",
  unstorage: "src/entry/adapters/unstorage.ts",
  cachified: "src/entry/adapters/cachified.ts",
  opennext: "src/entry/adapters/opennext.ts"
}

/** Those for who has Effect already. */
const withEffect = {
  effect: "src/entry/package/effect.ts",
  client: "src/entry/client.ts",
  "http-cache-effect": "src/entry/http-cache/cachedApp.ts",
  "key-value-store": "src/entry/adapters/keyValueStore.ts",
  persistence: "src/entry/adapters/persistence.ts"
}

rmSync(out, { recursive: true, force: true })

const common = {
  absWorkingDir: root,
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["workerd", "worker"],
  legalComments: "none"
}
const platform = ["node:*", "cloudflare:*"]

await build({
  ...common,
  entryPoints: selfContained,
  external: platform,
  chunkNames: "chunks/[name]-[hash]",
  plugins: [asPackaged, withoutMicro, withoutMetrics, withoutConfiguration]
})
await build({
  ...common,
  entryPoints: withEffect,
  external: [...platform, "effect", "@effect/*"],
  chunkNames: "chunks/effect-[hash]",
  plugins: [asPackaged]
})

/** Node's: with all that it needs inside. */
await build({
  ...common,
  entryPoints: { cli: "src/entry/cli/larder.ts" },
  platform: "node",
  target: "node20",
  conditions: [],
  chunkNames: "chunks/cli-[hash]",
  plugins: [asPackaged],
  banner: {
    js: "import { createRequire as larderRequire } from 'node:module'; const require = larderRequire(import.meta.url);"
  }
})
const cli = `${out}/cli.js`
writeFileSync(cli, `#!/usr/bin/env node\n${readFileSync(cli, "utf8")}`, { mode: 0o755 })

/** What the two kinds have in common is named in each, so that no declaration of the one reads one of the other. */
for (const entries of [selfContained, withEffect]) {
  const declarations = await rollup({
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, root + file])),
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    plugins: [dts({ tsconfig: `${root}tsconfig.json` })],
    onwarn: ({ code, message }) => {
      // A type that two entry points share and neither exports stands in a chunk, where a consumer can name it through them.
      if (code !== "UNUSED_EXTERNAL_IMPORT" && !message.includes("private shared type")) throw new Error(message)
    }
  })
  const prefix = entries === withEffect ? "effect-" : ""
  await declarations.write({ dir: out, format: "es", chunkFileNames: `chunks/${prefix}[name].d.ts` })
  await declarations.close()
}
