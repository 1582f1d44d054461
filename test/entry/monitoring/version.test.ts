import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { version } from "../../../src/entry/monitoring/version.ts"

it("health says the version of package.json", () => {
  expect(version).toBe((JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version)
})
