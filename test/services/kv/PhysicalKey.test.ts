import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { isLegalKey } from "../../../src/services/kv/Kv.ts"
import { isHashed, logicalKey, physicalKey, selfTestKey, tagKey } from "../../../src/services/kv/model/PhysicalKey.ts"
import { isCollectionName } from "../../../src/services/store/model/Collection.ts"
import { runs } from "../../support/runs.ts"

const collection = fc.oneof(
  { weight: 1, arbitrary: fc.constant("default") },
  { weight: 2, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/).filter(isCollectionName) }
)

/** Keys that come close to each other's places, and keys that are too long to stand in their own. */
const key = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom("~", "/", "#", ".", "a", "é", "default"), maxLength: 12 }),
  fc.tuple(fc.string({ maxLength: 3 }), fc.integer({ min: 450, max: 700 })).map(([a, n]) => a + "x".repeat(n)),
  fc.tuple(collection, fc.string({ maxLength: 5 })).map(([name, rest]) => `~${name}/${rest}`),
  fc.tuple(collection, fc.string({ maxLength: 5 })).map(([name, rest]) => physicalKey(name, "y".repeat(600) + rest)),
  fc.constantFrom("", ".", "..", "~", "~~", "#", selfTestKey, tagKey("t"), "~default/", "~default/#")
)

const params = { fastCheck: { numRuns: runs(400) } }

describe("physicalKey", () => {
  it.prop(
    "is a key that KV takes, whatever the logical one",
    { collection, key },
    ({ collection, key }) => {
      expect(isLegalKey(physicalKey(collection, key))).toBe(true)
    },
    params
  )

  it.prop(
    "leads back to its collection, and to its key unless it is a hash",
    { collection, key },
    ({ collection, key }) => {
      const physical = physicalKey(collection, key)
      expect(logicalKey(physical)).toEqual({ collection, key: isHashed(physical) ? undefined : key })
    },
    params
  )

  it.prop(
    "is never the same for two entries, nor that of a tag or of the self-test",
    { a: fc.tuple(collection, key), b: fc.tuple(collection, key), tag: key },
    ({ a, b, tag }) => {
      const same = a[0] === b[0] && a[1] === b[1]
      expect(physicalKey(...a) === physicalKey(...b)).toBe(same)
      expect(physicalKey(...a)).not.toBe(tagKey(tag))
      expect(physicalKey(...a)).not.toBe(selfTestKey)
    },
    params
  )

  it.prop(
    "leaves the legal keys of `default` where they are, unless they begin with a tilde",
    { key },
    ({ key }) => {
      fc.pre(isLegalKey(key) && !key.startsWith("~"))
      expect(physicalKey("default", key)).toBe(key)
    },
    params
  )

  it.prop(
    "keeps a hash apart from the key that spells it",
    { collection, rest: fc.string() },
    ({ collection, rest }) => {
      const hashed = physicalKey(collection, "x".repeat(600) + rest)
      expect(isHashed(hashed)).toBe(true)
      expect(physicalKey(collection, hashed.slice(hashed.indexOf("#")))).not.toBe(hashed)
    }
  )

  it.prop(
    "hashes only what has no legal place of its own",
    { collection, key },
    ({ collection, key }) => {
      const needsHash = key.startsWith("#") || !isLegalKey(`~${collection}/${key}`)
      const plain = collection === "default" && isLegalKey(key) && !key.startsWith("~")
      expect(isHashed(physicalKey(collection, key))).toBe(needsHash && !plain)
    },
    params
  )
})

describe("tagKey", () => {
  it.prop(
    "is a legal key of Larder's own, a different one for every tag",
    { a: key, b: key },
    ({ a, b }) => {
      expect(isLegalKey(tagKey(a))).toBe(true)
      expect(logicalKey(tagKey(a))).toBeUndefined()
      expect(tagKey(a) === tagKey(b)).toBe(a === b)
      expect(tagKey(a)).not.toBe(selfTestKey)
    },
    params
  )
})

it("the self-test's key is Larder's own", () => {
  expect(logicalKey(selfTestKey)).toBeUndefined()
  expect(isLegalKey(selfTestKey)).toBe(true)
})
