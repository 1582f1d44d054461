import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { KvError } from "../../../src/services/kv/Kv.ts"
import { compareUtf8, pageOf } from "../../../src/services/kv/model/KvPaging.ts"

const name = fc.string({ unit: fc.oneof(fc.constantFrom("a", "é", "\uD7FF", "\uE000", "\uFFEE", "😀", "\u{10FFFF}")) })

it.prop("compareUtf8 is the order of the encoded bytes", { a: name, b: name }, ({ a, b }) => {
  expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
})

it.prop(
  "the pages of any names are, put together, those with the prefix, in order",
  { names: fc.uniqueArray(name), prefix: fc.constantFrom("", "a", "é", "😀"), limit: fc.integer({ min: 1, max: 4 }) },
  ({ names, prefix, limit }) => {
    const listed: Array<string> = []
    let cursor: string | undefined
    do {
      const page = pageOf(names, { prefix, limit, ...(cursor === undefined ? {} : { cursor }) })
      if (page instanceof KvError) throw page
      expect(page.names.length).toBeLessThanOrEqual(limit)
      listed.push(...page.names)
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(listed).toEqual(names.filter((name) => name.startsWith(prefix)).sort(compareUtf8))
  }
)

it("a cursor that no page gave is refused", () => {
  expect(pageOf(["a"], { cursor: "%" })).toBeInstanceOf(KvError)
})
