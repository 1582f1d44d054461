import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { Miniflare } from "miniflare"
import { moduleOf } from "../test/support/miniflare.ts"

// npm run bench:peers [-- --json]: the same workloads through each system over one kind of metered namespace, in one run
// inside workerd. The package is built before, so that its entry points are measured as they are published.

const root = fileURLToPath(new URL("..", import.meta.url))
const hotReads = 20_000
const hotRounds = 7

interface Row {
  readonly workload: string
  readonly system: string
  readonly kv: { readonly reads: number; readonly writes: number; readonly deletes: number; readonly lists: number }
  readonly usdPerMillionRequests: number
  /** Median of the rounds; null for a system that memory does not answer for. */
  readonly hotHitNs: number | null
  readonly bundleKiB: number
  readonly loaderRuns: number | null
  readonly last: unknown
  readonly waitedMillis: number | null
}

const common = {
  bundle: true as const,
  format: "esm" as const,
  platform: "node" as const,
  conditions: ["workerd", "worker", "import"],
  external: ["node:*", "cloudflare:*"],
  target: "es2023",
  write: false as const,
  logLevel: "error" as const
}

const worker = async (): Promise<string> => {
  const { outputFiles } = await build({
    ...common,
    absWorkingDir: root,
    entryPoints: ["bench/peers/peersWorker.ts"],
    banner: { js: `import { createRequire as requireIn } from "node:module"; const require = requireIn("/");` }
  })
  return outputFiles[0]!.text
}

const bundleKiB = async (imports: string): Promise<number> => {
  const contents = imports.replace("LARDER", `${root}dist/index.js`).replace("DURABLE", `${root}dist/durable.js`)
  const { outputFiles } = await build({
    ...common,
    stdin: { contents, resolveDir: root, loader: "ts" },
    minify: true
  })
  return Number((gzipSync(outputFiles[0]!.contents, { level: 9 }).byteLength / 1024).toFixed(1))
}

const miniflare = new Miniflare({
  ...moduleOf(await worker()),
  cf: false,
  unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }]
})
try {
  const base = await miniflare.unsafeGetDirectURL()
  const ask = async <A>(path: string): Promise<A> => {
    const response = await fetch(new URL(path, base))
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return (await response.json()) as A
  }
  const { systems, workloads } = await ask<{
    readonly systems: ReadonlyArray<{ readonly name: string; readonly imports: string }>
    readonly workloads: ReadonlyArray<string>
  }>("/")

  /** Nanoseconds by system and round, of a request with the reads less one without; the first round warms up. */
  const nanos = systems.map((): Array<number> => [])
  const fromMemory = systems.map(() => true)
  const timed = async (system: number, count: number): Promise<number> => {
    const began = process.hrtime.bigint()
    const answer = await ask<{ readonly fromMemory: boolean }>(`/hot?system=${system}&count=${count}`)
    fromMemory[system] &&= answer.fromMemory
    return Number(process.hrtime.bigint() - began)
  }
  for (const system of systems.keys()) {
    await timed(system, 100)
    if (fromMemory[system]) await timed(system, hotReads)
  }
  for (let round = 0; round < hotRounds; round++) {
    for (const system of systems.keys()) {
      if (!fromMemory[system]) continue
      const without = await timed(system, 0)
      nanos[system]!.push(((await timed(system, hotReads)) - without) / hotReads)
    }
  }
  const median = (values: ReadonlyArray<number>): number | null =>
    values.length === 0 ? null : Math.round([...values].sort((a, b) => a - b)[values.length >> 1]!)

  const rows: Array<Row> = []
  for (const [index, { imports, name }] of systems.entries()) {
    const about = { hotHitNs: median(nanos[index]!), bundleKiB: await bundleKiB(imports) }
    for (const [at, workload] of workloads.entries()) {
      const outcome = await ask<Pick<Row, "kv" | "usdPerMillionRequests">>(`/run?system=${index}&workload=${at}`)
      rows.push({ workload, system: name, ...about, loaderRuns: null, last: null, waitedMillis: null, ...outcome })
    }
  }

  /** The rows in which no system of ours bills as few operations. */
  const better = workloads.flatMap((workload) => {
    const sum = ({ kv }: Row) => kv.reads + kv.writes + kv.deletes + kv.lists
    const of = rows.filter((row) => row.workload === workload)
    const ours = Math.min(...of.filter(({ system }) => system.startsWith("larder")).map(sum))
    return of.filter((row) => sum(row) < ours).map(({ system }) => `${workload}: ${system}`)
  })

  if (process.argv.includes("--json")) console.log(JSON.stringify({ rows, better }))
  else {
    for (const workload of workloads) {
      console.log(`\n${workload}`)
      console.table(
        rows
          .filter((row) => row.workload === workload)
          .map(({ bundleKiB, hotHitNs, kv, last, loaderRuns, system, usdPerMillionRequests, waitedMillis }) => ({
            system,
            kv: `${kv.reads}r ${kv.writes}w ${kv.deletes}d ${kv.lists}l`,
            usdPerMillion: Number(usdPerMillionRequests.toFixed(3)),
            hotHitNs,
            bundleKiB,
            loaderRuns,
            last,
            waitedMillis
          }))
      )
    }
    console.log(
      better.length === 0 ? "\nNo other system bills fewer operations." : `\nFewer operations: ${better.join("; ")}`
    )
  }
} finally {
  await miniflare.dispose()
}
