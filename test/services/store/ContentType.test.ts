import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { brokenContentTypeRule, servableContentType } from "../../../src/services/store/model/ContentType.ts"
import { runs } from "../../support/runs.ts"

describe("a content type", () => {
  it.each([
    "text/plain",
    "text/css; charset=utf-8",
    'multipart/mixed; boundary="a b"',
    "application/vnd.api+json;v=1",
    "image/svg+xml ; x"
  ])("may be %s", (type) => {
    expect(brokenContentTypeRule(type)).toBeUndefined()
  })

  it.each([
    "",
    "text",
    "text/",
    "/plain",
    "text/plain\r\nX: 1",
    "text/plain; a=\u0000",
    "text/plain\n; a=1",
    "text/plain; n=é",
    "text/plain; n=\u{1f600}",
    " text/plain",
    "text/plain\u007f",
    `text/plain; ${"a".repeat(255)}`
  ])("may not be %j", (type) => {
    expect(brokenContentTypeRule(type)).toBeTypeOf("string")
    expect(servableContentType(type)).toBe("application/octet-stream")
  })

  it("is what a header carries unchanged, whatever an entry has kept", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.anything()), (kept) => {
        const type = servableContentType(kept)
        expect(new Headers({ "Content-Type": type }).get("Content-Type")).toBe(type.trimEnd())
      }),
      { numRuns: runs(1000) }
    )
  })
})
