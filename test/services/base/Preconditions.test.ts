import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { brokenCondition, evaluate, evaluateAbsent } from "../../../src/services/base/model/Preconditions.ts"

const modified = Date.UTC(2026, 9, 1, 12, 0, 0)
const validators = { etag: '"x"', modifiedAt: modified + 400 }
const date = (seconds: number) => new Date(modified + seconds * 1000).toUTCString()

const methods = ["GET", "HEAD", "PUT", "DELETE"] as const

describe("a list of entity tags", () => {
  it("names a tag among others, weak or strong, and only there", () => {
    const opaque = fc.string({ unit: fc.constantFrom(..."abc,;=W/*") })
    fc.assert(
      fc.property(fc.array(fc.tuple(opaque, fc.boolean()), { minLength: 1 }), opaque, (tags, other) => {
        const ifNoneMatch = tags.map(([tag, weak]) => `${weak ? "W/" : ""}"${tag}"`).join(", ")
        expect(brokenCondition({ ifNoneMatch })).toBeUndefined()
        const outcome = (tag: string) => evaluate({ ifNoneMatch }, "GET", { etag: `"${tag}"`, modifiedAt: undefined })
        for (const [tag] of tags) expect(outcome(tag)).toBe("not-modified")
        if (!tags.some(([tag]) => tag === other)) expect(outcome(other)).toBe("proceed")
      })
    )
  })

  it.each(['"a"', 'W/"a"', '"a","b"', ' "a" ,, W/"b" , ', "*", " * ", '""'])("%s is one", (list) => {
    expect(brokenCondition({ ifMatch: list })).toBeUndefined()
    expect(brokenCondition({ ifNoneMatch: list })).toBeUndefined()
  })

  it.each(["a", "", '"a', 'w/"a"', '"a" "b"', '*, "a"', "'a'", '"a", b'])("%s is none", (list) => {
    expect(brokenCondition({ ifMatch: list })).toContain("If-Match")
    expect(brokenCondition({ ifNoneMatch: list })).toContain("If-None-Match")
  })
})

describe("a condition (RFC 9110, 13.2.2)", () => {
  it.each([
    ["If-Match compares strongly", { ifMatch: 'W/"x"' }, "failed", "failed"],
    ["If-Match *", { ifMatch: "*" }, "proceed", "proceed"],
    ["If-None-Match compares weakly", { ifNoneMatch: '"y", W/"x"' }, "not-modified", "failed"],
    ["If-None-Match *", { ifNoneMatch: "*" }, "not-modified", "failed"],
    ["If-Unmodified-Since the second of the change", { ifUnmodifiedSince: date(0) }, "proceed", "proceed"],
    ["If-Unmodified-Since the second before", { ifUnmodifiedSince: date(-1) }, "failed", "failed"],
    ["If-Match goes before If-Unmodified-Since", { ifMatch: '"x"', ifUnmodifiedSince: date(-1) }, "proceed", "proceed"],
    ["If-Modified-Since is for reads", { ifModifiedSince: date(0) }, "not-modified", "proceed"],
    ["If-Modified-Since the second before", { ifModifiedSince: date(-1) }, "proceed", "proceed"],
    [
      "If-None-Match goes before If-Modified-Since",
      { ifNoneMatch: '"y"', ifModifiedSince: date(9) },
      "proceed",
      "proceed"
    ],
    ["a date that is none", { ifUnmodifiedSince: "yesterday", ifModifiedSince: "2026-10-01" }, "proceed", "proceed"],
    ["both must hold", { ifMatch: '"x"', ifNoneMatch: '"x"' }, "not-modified", "failed"]
  ] as const)("%s", (_, conditions, read, written) => {
    expect(methods.map((method) => evaluate(conditions, method, validators))).toStrictEqual([
      read,
      read,
      written,
      written
    ])
  })

  it("about a date that nobody knows does not count", () => {
    const unknown = { etag: '"x"', modifiedAt: undefined }
    for (const method of methods) {
      expect(evaluate({ ifUnmodifiedSince: date(-9), ifModifiedSince: date(9) }, method, unknown)).toBe("proceed")
    }
  })

  it("about what is not there fails where it must be", () => {
    expect(evaluateAbsent({ ifMatch: "*" })).toBe("failed")
    expect(evaluateAbsent({ ifMatch: '"x"' })).toBe("failed")
    expect(evaluateAbsent({ ifNoneMatch: "*" })).toBe("proceed")
    expect(evaluateAbsent({ ifNoneMatch: '"x"', ifUnmodifiedSince: date(-9) })).toBe("proceed")
  })
})
