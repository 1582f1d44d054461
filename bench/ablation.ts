import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { ReplayResult, StackResult } from "../src/entry/replay/replay.ts"
import { stackOrder } from "../src/entry/replay/replayOptions.ts"
import { totalOf } from "../src/services/replay/model/Replayed.ts"

/**
 * What each part of KV mode saves of the trading day's KV operations: alone, added to those before it, and left out of
 * all. Some six minutes. `npm run bench -- ablation [seed]`
 */

const seed = process.argv[2] ?? "1"
const cli = fileURLToPath(new URL("../src/entry/replay/cli.ts", import.meta.url))
const parts = stackOrder.filter((part) => part !== "direct" && part !== "durable")

/** A process each: two at once, as there are rarely more cores. */
const run = async (stack: string, without?: string): Promise<StackResult> => {
  const flags = ["--scenario", "trading-day", "--stack", stack, "--seed", seed, "--json"]
  const left = without === undefined ? [] : ["--without", without]
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", cli, ...flags, ...left], {
    maxBuffer: 2 ** 24
  })
  return (JSON.parse(stdout) as ReplayResult).stacks[0]!
}

const jobs: ReadonlyArray<readonly [stack: string, without?: string]> = [
  ["direct"],
  ["kv"],
  ["durable"],
  ...parts.flatMap((part) => [[`direct+${part}`], [part], ["kv", part]] as const)
]
const results = new Map<string, StackResult>()
const waiting = [...jobs]
const worker = async (): Promise<void> => {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift())
    results.set(job.join(" "), await run(...job))
}
await Promise.all([worker(), worker()])
const found = (...job: ReadonlyArray<string>): StackResult => results.get(job.join(" "))!

const direct = found("direct")
const whole = found("kv")
const saved = ({ kv }: StackResult): string => `${((1 - totalOf(kv) / totalOf(direct.kv)) * 100).toFixed(1)} %`

const rows: Record<string, Record<string, string | number>> = {}
for (const part of parts) {
  const [alone, cumulative, left] = [found(`direct+${part}`), found(part), found("kv", part)]
  rows[part] = {
    "alone saves": saved(alone),
    "with all before": saved(cumulative),
    "KV operations": totalOf(cumulative.kv),
    "all without it": saved(left),
    "its share": `${(((totalOf(left.kv) - totalOf(whole.kv)) / totalOf(direct.kv)) * 100).toFixed(1)} %`,
    "calls with all before": totalOf(cumulative.kvCalls)
  }
}
const { bound } = direct
console.log(
  `direct: ${totalOf(direct.kv)} KV operations (${direct.kv.reads} reads, ${direct.kv.writes} writes) in ${totalOf(direct.kvCalls)} calls; least without packing ${bound.kvReads} reads, ${bound.kvWrites} writes`
)
for (const name of ["kv", "durable"]) {
  const { bufferedLost, kv, lostWrites } = found(name)
  console.log(
    `${name}: ${totalOf(kv)} (${kv.reads} reads, ${kv.writes} writes, ${kv.deletes} deletes, ${kv.lists} lists), saves ${saved(found(name))}; lost ${lostWrites} stored, ${bufferedLost} buffered`
  )
}
console.table(rows)
