import { readFileSync } from "node:fs"
import { expect, it } from "vitest"

const script = readFileSync("scripts/start.mjs", "utf8")

it("npm start asks for invented prices, which no deployment does", () => {
  expect(script).toContain('"MARKET_SOURCE:sample"')
  expect(readFileSync("wrangler.toml", "utf8")).not.toMatch(/^\s*MARKET_SOURCE/m)
})

it("npm start prints a PUT that says what it sends", () => {
  const puts = script.split("\n").filter((line) => line.includes("curl -X PUT"))
  expect(puts).toHaveLength(1)
  expect(puts[0]).toContain("-H 'Content-Type: text/plain'")
})
