import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

// What the one line costs a Worker, beside the Worker without it and one that is nothing but a bare Effect runtime: KiB,
// and CPU milliseconds in Node of evaluating it and of its first request, each in a process of its own.
// npm run build && npm run bench -- packageStart [rounds]

const rounds = Number(process.argv[2] ?? 15)
const root = fileURLToPath(new URL("..", import.meta.url))
const plain = `{ fetch: async (request, env) => new Response(await env.KV.get("greeting")) }`

const workers = {
  "the Worker alone": `export default ${plain}`,
  "a bare Effect runtime": `
    import * as Effect from "effect/Effect"
    import * as Layer from "effect/Layer"
    import * as ManagedRuntime from "effect/ManagedRuntime"
    const runtime = ManagedRuntime.make(Layer.empty)
    export default { fetch: () => runtime.runPromise(Effect.succeed(new Response("kept"))) }`,
  "withLarder(worker)": `import { withLarder } from "./dist/index.js"\nexport default withLarder(${plain})`
}

const folder = mkdtempSync(join(tmpdir(), "larder-package-start-"))
const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]!
const fixed = (value: number): number => Number(value.toFixed(1))

const cold = async (script: string): Promise<{ readonly evaluated: number; readonly first: number }> => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(root, "bench/start/coldStart.mjs"),
    script,
    "kv",
    "GET",
    "/"
  ])
  return JSON.parse(stdout.trim().split("\n").at(-1)!)
}

try {
  writeFileSync(join(folder, "package.json"), `{"type":"module"}`)
  const bundles = Object.entries(workers).map(async ([name, contents], index) => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: root, loader: "ts" },
      bundle: true,
      minify: true,
      format: "esm",
      conditions: ["workerd", "worker"],
      external: ["node:*", "cloudflare:*"],
      logLevel: "error",
      write: false
    })
    const script = join(folder, `${index}.mjs`)
    writeFileSync(script, outputFiles[0]!.text)
    const kib = gzipSync(outputFiles[0]!.contents, { level: 9 }).byteLength / 1024
    return { name, script, kib, evaluated: [] as Array<number>, first: [] as Array<number> }
  })
  const rows = await Promise.all(bundles)
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      const { evaluated, first } = await cold(row.script)
      row.evaluated.push(evaluated)
      row.first.push(first)
    }
  }
  console.table(
    Object.fromEntries(
      rows.map(({ evaluated, first, kib, name }) => [
        name,
        {
          "KiB gzip": fixed(kib),
          "evaluating, least": fixed(Math.min(...evaluated)),
          "evaluating, median": fixed(median(evaluated)),
          "first request, least": fixed(Math.min(...first)),
          "first request, median": fixed(median(first))
        }
      ])
    )
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
