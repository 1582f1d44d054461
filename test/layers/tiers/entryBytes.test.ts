import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))

it("the memory tier counts what its entries take of the heap, at every size of value", () => {
  const output = execFileSync(process.execPath, ["--expose-gc", "--import", "tsx", "bench/entryBytes.ts"], {
    cwd: root,
    encoding: "utf8"
  })
  const rows = [...output.matchAll(/^(\d+) B: (\d+) B an entry, counted (\d+)/gm)]
  expect(rows).toHaveLength(3)
  for (const [, , taken, counted] of rows) {
    expect(Number(counted) / Number(taken)).toBeGreaterThan(0.9)
    expect(Number(counted) / Number(taken)).toBeLessThan(1.25)
  }
})
