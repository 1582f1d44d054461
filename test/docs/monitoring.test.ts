import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import * as LedgerMemory from "../../src/layers/ledger/LedgerMemory.ts"
import { flattened } from "../../src/services/monitoring/model/Figures.ts"
import { metricsText } from "../../src/services/monitoring/model/OpenMetrics.ts"

const exported = (): ReadonlySet<string> => {
  const text = metricsText(
    {
      ...flattened("ledger", LedgerMemory.make(0).report().total),
      "requests|GET cache|memory|200": 1,
      "ms|GET cache|memory|0": 1,
      "answered|memory": 1,
      "reads|stale": 1,
      "collection|default|answered|memory": 1
    },
    ["larder_isolates", "larder_usd_spent_total", "larder_usd_without_total"].map((name) => ({
      name,
      help: "as it is",
      value: 1
    }))
  )
  return new Set([...text.matchAll(/^(\w+)/gm)].map(([name]) => name))
}

describe("the alert rules and the dashboard", () => {
  for (const file of ["docs/monitoring/alerts.yml", "docs/monitoring/grafana.json"]) {
    it(`ask only for series that are exported: ${file}`, () => {
      const names = exported()
      const asked = [...readFileSync(file, "utf8").matchAll(/\blarder_\w+/g)].map(([name]) => name)
      expect(asked.length).toBeGreaterThan(6)
      for (const name of asked) expect(names, name).toContain(name)
    })
  }
})
