import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"

const folder = mkdtempSync(join(tmpdir(), "larder-cli-"))
const trace = join(folder, "small.csv")
writeFileSync(trace, "time,key,size,op,session\n0,a,10,r,s\n1,a,10,r,s\n2,b,10,w,t\n3,b,10,r,t\n4,c,10,d,t\n")

const prose = join(folder, "prose.txt")
writeFileSync(prose, "It was a dark\nand stormy night.\n")

const cli = (...flags: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ["--import", "tsx", "src/entry/replay/cli.ts", ...flags],
    {
      encoding: "utf8"
    }
  )
  return { status, stdout, stderr }
}

const numbers = (...names: ReadonlyArray<string>) => Object.fromEntries(names.map((name) => [name, expect.any(Number)]))

describe("replay on the command line", () => {
  it("prints one JSON object of the agreed shape, and nothing else", () => {
    const { status, stderr, stdout } = cli("--trace", trace, "--stack", "direct,memory", "--memory", "50%", "--json")
    expect(stderr).toBe("")
    expect(status).toBe(0)
    const stack = (name: string) => ({
      stack: name,
      kv: numbers("reads", "writes", "deletes", "lists"),
      kvByCollection: { default: numbers("reads", "writes", "deletes", "lists") },
      kvCalls: numbers("reads", "writes", "deletes", "lists"),
      refused: expect.any(Number),
      durableObject: numbers("requests", "rowsRead", "rowsWritten"),
      edge: numbers("matches", "puts"),
      hitRatio: numbers("memory", "edge", "durable", "kv"),
      prefetch: { issued: 0, used: 0, coverable: 1, covered: 0 },
      usdPerMillionRequests: expect.any(Number),
      usd: {
        ...numbers("total", "perMillionRequests", "atRest", "kvInstant"),
        lines: expect.arrayContaining([
          { item: "kvReads", count: expect.any(Number), unit: "key", usd: expect.any(Number), counted: true },
          { item: "workerRequests", count: 5, unit: "request", usd: expect.closeTo(5 * 0.3e-6, 12), counted: false }
        ]),
        month: numbers("list", "plan"),
        freePlanFirstLimit: { item: expect.any(String), ...numbers("perDay", "used"), afterHours: expect.any(Number) }
      },
      latencyMs: numbers("p50", "p95", "p99"),
      staleReads: expect.any(Number),
      staleBeyondPolicy: 0,
      staleness: {},
      lostWrites: expect.any(Number),
      loaderRuns: 0,
      bufferedWrites: expect.any(Number),
      bufferedLost: expect.any(Number),
      bound: { kvReads: 1, kvWrites: 1 }
    })
    expect(JSON.parse(stdout)).toEqual({
      workload: "small",
      requests: 5,
      reads: 3,
      writes: 1,
      seed: 1,
      stacks: [stack("direct"), stack("memory")]
    })
  })

  it("prints a table, and writes a report", () => {
    const report = join(folder, "report.html")
    const { status, stdout } = cli("--trace", trace, "--stack", "direct,edge", "--report", report)
    expect(status).toBe(0)
    expect(stdout).toContain("small: 5 requests, 3 reads, 1 writes, seed 1")
    expect(stdout).toMatch(/direct .*│ 3 +│ 1 +│ 1 /)
    expect(stdout).toMatch(/edge .*│ 1 +│ 1 +│ 1 /)
    expect(readFileSync(report, "utf8")).toContain("<td>edge</td><td>1</td>")
  })

  const mistakes: ReadonlyArray<readonly [flags: ReadonlyArray<string>, says: string]> = [
    [["--trace", join(folder, "none.csv")], "none.csv cannot be read"],
    [["--trace", prose], `none of its 2 lines holds a request, the first is "It was a dark"; tried csv, clf`],
    [["--scenario", "alerts", "--fast"], "--fast is no flag: see --help."],
    [["--scenario", "alerts", "--seed"], "--seed needs one value"],
    [["--trace", trace, "--stack", "direct", "--report", join(folder, "no", "such", "folder.html")], "--report"]
  ]
  for (const [flags, says] of mistakes) {
    it(`answers ${flags.at(-2)} ${flags.at(-1)} with exit code 2 and one line`, () => {
      const { status, stderr, stdout } = cli(...flags)
      expect(status).toBe(2)
      expect(stdout).toBe("")
      expect(stderr).toContain(says)
      expect(stderr.trimEnd().split("\n")).toHaveLength(1)
    })
  }
})
