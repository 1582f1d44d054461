import { describe, expect, it } from "vitest"
import { normalised } from "../../../src/services/database/model/StatementText.ts"

describe("normalised", () => {
  it("replaces what differs between two calls, and nothing else", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["SELECT *\n  FROM t1 WHERE a = 'it''s' AND b = 12.5e3", "SELECT * FROM t1 WHERE a = ? AND b = ?"],
      ["SELECT a FROM t WHERE b IN (1, 2,3) -- why\n AND c = ?2", "SELECT a FROM t WHERE b IN (?, …) AND c = ?"],
      [`SELECT "it's", [1], \`x\` FROM "t 1" /* all */;`, 'SELECT "it\'s", [1], `x` FROM "t 1"'],
      ["SELECT a1 FROM t WHERE x = :name OR y = @y OR z = $z", "SELECT a1 FROM t WHERE x = ? OR y = ? OR z = ?"],
      ["INSERT INTO t VALUES (?, ?, 'x')", "INSERT INTO t VALUES (?, …)"],
      ["SELECT x'00' FROM t", "SELECT x? FROM t"]
    ]
    for (const [sql, expected] of cases) expect(normalised(sql)).toBe(expected)
  })
})
