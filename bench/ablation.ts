import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { ReplayResult, StackResult } from "../src/entry/replay/replay.ts"
import { stackOrder } from "../src/entry/replay/replayOptions.ts"
import { totalOf } from "../src/services/replay/model/Replayed.ts"

/**
 * What each part saves of the trading day's dollars and KV operations, in both modes: alone over the bare store of
 * record, and left out of the whole stack. 32 replays, some ten minutes on 2 cores. `npm run bench -- ablation [seed [kv|durable]]`
 */

const [, , seed = "1", only] = process.argv
const cli = fileURLToPath(new URL("../src/entry/replay/cli.ts", import.meta.url))
const parts = stackOrder.filter((part) => part !== "direct" && part !== "durable")

/** Each mode's stack without any part, and with all. */
const modes = (
  [
    { bare: "direct", whole: "kv" },
    { bare: "direct+durable", whole: "durable" }
  ] as const
).filter(({ whole }) => only === undefined || whole === only)

/** A process each: two at once, as there are rarely more cores. */
const run = async (stack: string, without?: string): Promise<StackResult> => {
  const flags = ["--scenario", "trading-day", "--stack", stack, "--seed", seed, "--json"]
  const left = without === undefined ? [] : ["--without", without]
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", cli, ...flags, ...left], {
    maxBuffer: 2 ** 24
  })
  return (JSON.parse(stdout) as ReplayResult).stacks[0]!
}

const jobs: ReadonlyArray<readonly [stack: string, without?: string]> = modes.flatMap(({ bare, whole }) => [
  [bare] as const,
  [whole] as const,
  ...parts.flatMap((part) => [[`${bare}+${part}`], [whole, part]] as const)
])
const results = new Map<string, StackResult>()
const waiting = [...jobs]
const worker = async (): Promise<void> => {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift())
    results.set(job.join(" "), await run(...job))
}
await Promise.all([worker(), worker()])
const found = (...job: ReadonlyArray<string>): StackResult => results.get(job.join(" "))!

const figures = ({ durableObject, kv, usdPerMillionRequests }: StackResult) => ({
  "$ per M requests": Number(usdPerMillionRequests.toFixed(4)),
  "KV operations": totalOf(kv),
  "object requests": durableObject.requests,
  "rows written": durableObject.rowsWritten
})

for (const { bare, whole } of modes) {
  console.table(
    Object.fromEntries(
      [
        [bare],
        ...parts.map((part) => [`${bare}+${part}`] as const),
        ...parts.map((part) => [whole, part] as const),
        [whole] as const
      ].map((job) => [job.join(" without "), figures(found(...job))])
    )
  )
}
const { bound } = found(modes[0]!.bare)
console.log(`least KV operations without packing: ${bound.kvReads} reads, ${bound.kvWrites} writes`)
