import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import type { ReplayResult, StackResult } from "../../../src/entry/replay/replay.ts"
import { totalOf } from "../../../src/services/replay/model/Replayed.ts"
import { runs } from "../../support/runs.ts"

const cli = fileURLToPath(new URL("../../../src/entry/replay/cli.ts", import.meta.url))

const requestsOfDay = 20_043

/**
 * One stack's day on the Free plan, in a process of its own, which fails where a read returned another entry's value;
 * and what it would cost without Larder: an operation for each that is asked. `npm test` replays its beginning.
 */
const day = async (stack: string, ...flags: ReadonlyArray<string>) => {
  const replay = ["--scenario", "trading-day", "--stack", stack, "--plan", "free", "--json", ...flags]
  replay.push("--requests", `${runs(requestsOfDay)}`)
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", cli, ...replay])
  const { reads, stacks, writes } = JSON.parse(stdout) as ReplayResult
  return { asked: reads + writes, ...stacks[0]! }
}

const share = ({ asked, kv }: StackResult & { readonly asked: number }): number => totalOf(kv) / asked

describe.concurrent("the trading day", () => {
  it("costs KV mode less than 8 %, loses nothing, and never meets the Free plan's caps", async () => {
    const kv = await day("kv")
    expect(share(kv)).toBeLessThan(0.08)
    expect(kv).toMatchObject({ refused: 0, lostWrites: 0, staleBeyondPolicy: 0 })
    expect(kv.kv.writes).toBeLessThan(1000)
  }, 300_000)

  it("costs the durable mode less than 2 %, on a budget of 20 writes, and loses nothing", async () => {
    const durable = await day("durable", "--budget-writes", "20")
    expect(share(durable)).toBeLessThan(0.02)
    const nothing = { refused: 0, lostWrites: 0, bufferedWrites: 0, bufferedLost: 0, staleBeyondPolicy: 0 }
    expect(durable).toMatchObject(nothing)
    expect(durable.kv.writes).toBeLessThanOrEqual(20)
    expect(durable.hitRatio.kv).toBe(0)
    expect(durable.hitRatio.memory + durable.hitRatio.durable).toBeGreaterThan(0.85)
    expect(durable.durableObject.requests).toBeLessThan(8000)
  }, 300_000)
})
