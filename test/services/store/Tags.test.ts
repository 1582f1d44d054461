import { describe, expect, it } from "vitest"
import { CollectionError, define } from "../../../src/services/store/model/Collection.ts"
import { collectionTag, type Entry } from "../../../src/services/store/model/Entry.ts"
import {
  areSameTags,
  brokenTagsRule,
  hashedTag,
  hashOfTag,
  namedTags,
  tagOfHash
} from "../../../src/services/store/model/Tags.ts"
import type { Store } from "../../../src/services/store/Store.ts"

const many = (count: number, characters: number) =>
  Array.from({ length: count }, (_, at) => String(at).padStart(characters, "t"))

describe("tags", () => {
  it("are up to 128 of 256 characters", () => {
    for (const tags of [[], ["a"], many(128, 256), ["ü💥", "a b", "x:y"], [...many(128, 3), ...many(128, 3)]]) {
      expect(brokenTagsRule(tags)).toBeUndefined()
    }
    expect(brokenTagsRule(many(129, 4))).toBe("an entry has at most 128 tags")
  })

  for (const tag of ["", "x".repeat(257), "a,b", "a\nb", "\u0000", "\ud800"]) {
    it(`are none of ${JSON.stringify(tag).slice(0, 20)}`, () => {
      expect(brokenTagsRule(["a", tag])).toMatch(/a tag has 1 to 256 characters/)
      expect(() => define("c", { tags: [tag] })).toThrow(CollectionError)
    })
  }

  it("of a collection keep the same rule", () => {
    expect(define("c", { tags: many(128, 256) }).policy.tags).toHaveLength(128)
    expect(() => define("c", { tags: many(129, 4) })).toThrow(/the tags of "c": an entry has at most 128 tags/)
  })
})

describe("the hash of a tag", () => {
  it("begins as no tag of a user does, is its own hash, and is one for tags that collide", () => {
    expect(hashedTag("a")).toHaveLength(7)
    expect(brokenTagsRule([hashedTag("a")])).toBeDefined()
    expect(hashedTag(hashedTag("a"))).toBe(hashedTag("a"))
    expect(tagOfHash(hashOfTag("a"))).toBe(hashedTag("a"))
    expect(hashedTag("user:1132783")).toBe(hashedTag("user:1729198"))
    expect(hashedTag("user:1132783")).not.toBe(hashedTag("user:1132782"))
  })

  it("is the same tag, whichever of two entries has it", () => {
    expect(areSameTags(["a", "b"], ["b", "a"])).toBe(true)
    expect(areSameTags([hashedTag("a"), hashedTag("b")], ["b", "a"])).toBe(true)
    expect(areSameTags(["a", "b"], [hashedTag("a"), hashedTag("c")])).toBe(false)
    expect(areSameTags(["user:1132783"], ["user:1729198"])).toBe(false)
    expect(areSameTags(["a"], ["a", "b"])).toBe(false)
  })

  it("is not told as a tag", () => {
    expect(namedTags(["a", hashedTag("b"), collectionTag("notes/k")])).toStrictEqual(["a"])
  })
})

describe("bytes", () => {
  it("that a store has, or is given, are not to be changed: the types say so", () => {
    const written = (entry: Entry, write: Parameters<Store["Type"]["set"]>[2]) => {
      // @ts-expect-error every tier shares them
      entry.value[0] = 1
      // @ts-expect-error they are the store's from then on
      write[0] = 1
    }
    expect(written).toBeTypeOf("function")
  })
})
