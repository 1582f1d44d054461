import { expect, it } from "@effect/vitest"
import * as KvHistory from "../../../../src/layers/simulation/internal/kvHistory.ts"
import * as KvReuse from "../../../../src/layers/simulation/internal/kvReuse.ts"
import { immediate } from "../../../../src/services/simulation/model/KvConsistency.ts"

const version = KvHistory.make(immediate, {}).head("never written")

it("an answer is reused until its moment, however many others come and go", () => {
  const reuse = KvReuse.make()
  reuse.set("lasting", version, 1_000_000, 0)
  for (let now = 0; now < 200_000; now++) reuse.set(`passing ${now}`, version, now + 10, now)
  expect(reuse.get("lasting", 999_999)).toBe(version)
  expect(reuse.get("lasting", 1_000_000)).toBeUndefined()
  expect(reuse.get("passing 199995", 200_000)).toBe(version)
  expect(reuse.get("passing 199990", 200_000)).toBeUndefined()
  reuse.delete("lasting")
  expect(reuse.get("lasting", 0)).toBeUndefined()
})
