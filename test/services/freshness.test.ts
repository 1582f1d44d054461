import { expect, it } from "vitest"
import { freshnessOf } from "../../src/services/Freshness.ts"
it("fresh", () => {
  expect(freshnessOf({ entry: undefined, readAt: 0 }, { ttl: 10, staleFor: 0, graceFor: 0 }, 9, false)).toBe("fresh")
})
