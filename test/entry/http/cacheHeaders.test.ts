import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { age, cacheStatus } from "../../../src/entry/http/cacheHeaders.ts"
import { entityTag } from "../../../src/services/store/model/EntityTag.ts"
import { type Entry, zeroStamp } from "../../../src/services/store/model/Entry.ts"
import type { Lookup } from "../../../src/services/store/Store.ts"

const entry = (value: Uint8Array, contentType = "x/y"): Entry => ({
  value,
  contentType,
  tags: [],
  stamp: zeroStamp,
  expiresAt: Number.POSITIVE_INFINITY,
  loadMillis: 0
})

const lookup = (over: Partial<Lookup>): Lookup => ({
  entry: entry(new Uint8Array()),
  tier: "memory",
  readAt: 0,
  freshness: "fresh",
  freshUntil: 0,
  ...over
})

describe("Cache-Status", () => {
  it("is an RFC 9211 member: an item, then parameters that are tokens and integers", () => {
    const tier = fc.constantFrom<Lookup["tier"]>("static", "memory", "edge", "durable", "kv", "loader")
    fc.assert(
      fc.property(tier, fc.boolean(), fc.double({ noNaN: true }), fc.nat(), (tier, found, freshUntil, now) => {
        const status = cacheStatus(lookup({ tier, freshUntil, ...(found ? {} : { entry: undefined }) }), now)
        expect(status).toMatch(/^Larder; (hit(; ttl=-?\d{1,15})?|fwd=uri-miss); detail=[a-z]+$/)
      })
    )
  })

  it("rounds the freshness down, so that nobody keeps an answer too long", () => {
    expect(cacheStatus(lookup({ freshUntil: 1999 }), 0)).toBe("Larder; hit; ttl=1; detail=memory")
    expect(cacheStatus(lookup({ freshUntil: 0 }), 1)).toBe("Larder; hit; ttl=-1; detail=memory")
  })
})

it("Age is never negative, whatever the clocks say", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (readAt, now) => {
      expect(Number(age(lookup({ readAt }), now))).toBe(Math.max(0, Math.floor((now - readAt) / 1000)))
    })
  )
})

describe("ETag", () => {
  it("is the same exactly for the same bytes under the same type", () => {
    const bytes = fc.uint8Array({ maxLength: 8 })
    const type = fc.constantFrom("a/b", "a/b\n", "text/plain")
    fc.assert(
      fc.property(bytes, bytes, type, type, (a, b, s, t) => {
        const same = Buffer.from(a).equals(Buffer.from(b)) && s === t
        expect(entityTag(entry(a, s)) === entityTag(entry(b, t))).toBe(same)
      })
    )
  })
})
