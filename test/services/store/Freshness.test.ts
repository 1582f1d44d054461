import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { Entry, Observation } from "../../../src/services/store/model/Entry.ts"
import { zeroStamp } from "../../../src/services/store/model/Entry.ts"
import {
  type Freshness,
  freshnessOf,
  freshUntil,
  jittered,
  shouldRefreshEarly
} from "../../../src/services/store/model/Freshness.ts"

const entry = (expiresAt: number, loadMillis = 0): Entry => ({
  value: new Uint8Array(0),
  contentType: "",
  tags: [],
  stamp: zeroStamp,
  expiresAt,
  loadMillis
})

const millis = fc.nat(10_000)
const window = fc.record({ ttl: millis, staleFor: millis, graceFor: millis })
const observation: fc.Arbitrary<Observation> = fc.record({
  entry: fc.option(
    millis.map((expiresAt) => entry(expiresAt)),
    { nil: undefined }
  ),
  readAt: millis
})

const rank: Record<Freshness, number> = { fresh: 0, stale: 1, grace: 2, expired: 3 }

describe("freshness", () => {
  it("only ever declines", () => {
    fc.assert(
      fc.property(observation, window, millis, millis, fc.boolean(), (observed, window, now, later, loadable) => {
        const first = rank[freshnessOf(observed, window, now, loadable)]
        assert.isAtLeast(rank[freshnessOf(observed, window, now + later, loadable)], first)
      })
    )
  })

  it("is fresh exactly until ttl after the reading, and never past the entry's own expiry", () => {
    fc.assert(
      fc.property(observation, window, millis, fc.boolean(), (observed, window, now, loadable) => {
        const fresh =
          now < observed.readAt + window.ttl && now < (observed.entry?.expiresAt ?? Number.POSITIVE_INFINITY)
        assert.strictEqual(freshnessOf(observed, window, now, loadable) === "fresh", fresh)
      })
    )
  })

  it("is at most ttl + staleFor old when stale, and ttl + graceFor in grace", () => {
    fc.assert(
      fc.property(observation, window, millis, (observed, window, now) => {
        const over = now - freshUntil(observed, window.ttl)
        const freshness = freshnessOf(observed, window, now, true)
        if (freshness === "stale") assert.isBelow(over, window.staleFor)
        if (freshness === "grace") assert.isTrue(over >= window.staleFor && over < window.graceFor)
      })
    )
  })

  it("is expired past the entry's own expiry for a caller that cannot load it", () => {
    fc.assert(
      fc.property(millis, window, millis, (expiresAt, window, after) => {
        const observed = { entry: entry(expiresAt), readAt: 0 }
        assert.strictEqual(freshnessOf(observed, window, expiresAt + after, false), "expired")
      })
    )
  })

  it("jitter shortens by at most its fraction", () => {
    fc.assert(
      fc.property(
        millis,
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (ttl, jitter, draw) => {
          const shortened = jittered(ttl, jitter, draw)
          assert.isTrue(shortened <= ttl && shortened >= ttl * (1 - jitter) - 1e-9)
        }
      )
    )
  })
})

describe("XFetch", () => {
  const loaded: Observation = { entry: entry(100_000, 1000), readAt: 0 }

  it("fires with probability e^(-(time left)/(beta * load time))", () => {
    for (const left of [0, 500, 1000, 3000]) {
      let fired = 0
      const draws = 20_000
      for (let i = 0; i < draws; i++) {
        if (shouldRefreshEarly(loaded, 100_000 - left, 1, (i + 0.5) / draws)) fired++
      }
      assert.approximately(fired / draws, Math.exp(-left / 1000), 0.001)
    }
  })

  it("never fires for what was put, or for an absence", () => {
    assert.isFalse(shouldRefreshEarly({ entry: entry(100_000), readAt: 0 }, 99_999, 1, 1e-9))
    assert.isFalse(shouldRefreshEarly({ entry: undefined, readAt: 0 }, 99_999, 1, 1e-9))
  })
})
