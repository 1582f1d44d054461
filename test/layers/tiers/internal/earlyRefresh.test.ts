import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { makeEarlyRefresh } from "../../../../src/layers/tiers/internal/earlyRefresh.ts"
import * as Random from "../../../../src/services/base/model/Random.ts"
import { defaults } from "../../../../src/services/settings/Settings.ts"
import { type Observation, zeroStamp } from "../../../../src/services/store/model/Entry.ts"
import { runs } from "../../../support/runs.ts"

const life = 60_000
const lives = runs(250)

const loadedAt = (readAt: number): Observation => ({
  entry: {
    value: new Uint8Array(1),
    contentType: "x/y",
    tags: [],
    stamp: zeroStamp,
    expiresAt: readAt + life,
    loadMillis: 5000
  },
  readAt
})

/** One key, asked for at random at this rate (requests a life) over many lives; how often it was refreshed early. */
const refreshes = (requestsPerLife: number, refreshTheta: number, seed: number): number => {
  const counts = { earlyRefreshes: 0 }
  const isDue = makeEarlyRefresh({ ...defaults, refreshTheta }, counts)
  const random = Random.make(seed)
  let held = loadedAt(0)
  for (let now = 0; now < lives * life; ) {
    now += (-Math.log(1 - random()) * life) / requestsPerLife
    if (now >= held.readAt + life) held = loadedAt(now)
    else if (Effect.runSync(Effect.withRandomFixed(isDue("a", held, now), [random()]))) held = loadedAt(now)
  }
  return counts.earlyRefreshes
}

it("what is asked for all the time is refreshed as if there were no gate", () => {
  for (const seed of [1, 2, 3]) {
    assert.isAtLeast(refreshes(50, 0.5, seed), 0.95 * refreshes(50, 0, seed))
  }
})

it("of what is hardly asked for in a life, few refreshes are left", () => {
  for (const seed of [1, 2, 3]) {
    assert.isAtMost(refreshes(0.1, 0.5, seed), 0.25 * refreshes(0.1, 0, seed))
    assert.strictEqual(refreshes(0.1, 1, seed), 0)
  }
})

it("what was never asked for within one and a half lives is not refreshed, however near its end and dear", () => {
  const gaps = fc.array(fc.integer({ min: life * 1.5, max: life * 100 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(gaps, (between) => {
      const counts = { earlyRefreshes: 0 }
      const isDue = makeEarlyRefresh(defaults, counts)
      let now = 0
      for (const gap of between) {
        now += gap
        Effect.runSync(Effect.withRandomFixed(isDue("a", loadedAt(now - life + 1), now), [1 - 1e-12]))
      }
      assert.strictEqual(counts.earlyRefreshes, 0)
    })
  )
})
