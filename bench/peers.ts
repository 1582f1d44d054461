import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { prices } from "../src/services/ledger/model/Prices.ts"
import { meteredNamespace } from "./peers/meteredNamespace.ts"
import { type System, systems } from "./peers/systems.ts"
import { workloads } from "./peers/workloads.ts"

// npm run bench:peers [-- --json]: the same workloads through each system over one kind of metered namespace, in one run.

const real = Date.now
let passed = 0
Date.now = () => real() + passed
const passSeconds = (seconds: number): void => {
  passed += seconds * 1000
}

const root = fileURLToPath(new URL("..", import.meta.url))

const bundleKiB = async ({ imports }: System): Promise<number> => {
  const contents = imports
    .replace("LARDER", `${root}src/entry/package/larder.ts`)
    .replace("DURABLE", `${root}src/entry/facade/durableStore.ts`)
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    write: false,
    external: ["node:*", "cloudflare:*"],
    logLevel: "silent"
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).byteLength / 1024
}

/** Nanoseconds of one read that memory answers, where the system has a memory. */
const hotHitNs = async (system: System): Promise<number> => {
  const { counts, kv } = meteredNamespace(0)
  const isolate = await system.open(kv)
  await isolate.put("hot", "value")
  for (let i = 0; i < 200; i++) await isolate.get("hot")
  const before = counts.reads
  const count = 2000
  const began = process.hrtime.bigint()
  for (let i = 0; i < count; i++) await isolate.get("hot")
  const nanos = Number(process.hrtime.bigint() - began) / count
  return counts.reads > before ? Number.POSITIVE_INFINITY : nanos
}

const usdOf = ({ deletes, lists, reads, writes }: ReturnType<typeof meteredNamespace>["counts"]): number =>
  reads * prices.kvReads[0] + writes * prices.kvWrites[0] + deletes * prices.kvDeletes[0] + lists * prices.kvLists[0]

interface Row {
  readonly workload: string
  readonly system: string
  readonly kv: ReturnType<typeof meteredNamespace>["counts"]
  readonly usdPerMillionRequests: number
  /** Null for a system without a memory. */
  readonly hotHitNs: number | null
  readonly bundleKiB: number
  readonly loaderRuns: number | null
  readonly last: unknown
}

const rows: Array<Row> = []
for (const system of systems) {
  const [hot, kib] = [await hotHitNs(system), await bundleKiB(system)]
  for (const { name, run, seed } of workloads) {
    const { counts, kv } = meteredNamespace()
    if (seed !== undefined) {
      const seeding = await system.open(kv)
      await seed(seeding)
      await seeding.settled()
    }
    const before = { ...counts }
    const otherBefore = system.otherUsd?.(kv) ?? 0
    const isolate = await system.open(kv)
    const outcome = await run(isolate, async () => system.open(kv), passSeconds)
    await isolate.settled()
    const kvCounts = {
      reads: counts.reads - before.reads,
      writes: counts.writes - before.writes,
      deletes: counts.deletes - before.deletes,
      lists: counts.lists - before.lists
    }
    rows.push({
      workload: name,
      system: system.name,
      kv: kvCounts,
      usdPerMillionRequests: ((usdOf(kvCounts) + (system.otherUsd?.(kv) ?? 0) - otherBefore) / outcome.requests) * 1e6,
      hotHitNs: Number.isFinite(hot) ? Math.round(hot) : null,
      bundleKiB: Number(kib.toFixed(1)),
      loaderRuns: outcome.loaderRuns ?? null,
      last: outcome.last ?? null
    })
  }
}

/** The rows in which a system of ours is not the cheapest or as cheap. */
const better = workloads.flatMap(({ name }) => {
  const sum = ({ kv }: Row) => kv.reads + kv.writes + kv.deletes + kv.lists
  const of = rows.filter(({ workload }) => workload === name)
  const ours = Math.min(...of.filter(({ system }) => system.startsWith("larder")).map(sum))
  return of.filter((row) => sum(row) < ours).map(({ system }) => `${name}: ${system}`)
})

if (process.argv.includes("--json")) console.log(JSON.stringify({ rows, better }))
else {
  for (const { name } of workloads) {
    console.log(`\n${name}`)
    console.table(
      rows
        .filter(({ workload }) => workload === name)
        .map(({ bundleKiB, hotHitNs, kv, last, loaderRuns, system, usdPerMillionRequests }) => ({
          system,
          kv: `${kv.reads}r ${kv.writes}w ${kv.deletes}d ${kv.lists}l`,
          usdPerMillion: Number(usdPerMillionRequests.toFixed(3)),
          hotHitNs,
          bundleKiB,
          loaderRuns,
          last
        }))
    )
  }
  console.log(
    better.length === 0 ? "\nNo other system bills fewer operations." : `\nFewer operations: ${better.join("; ")}`
  )
}
process.exit(0)
