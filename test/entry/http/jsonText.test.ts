import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { JsonText, parseKeeping, repeatedMember } from "../../../src/entry/http/jsonText.ts"
import { runs } from "../../support/runs.ts"

/** JSON text of a value, with spaces where JSON allows them. */
const spaced = fc
  .tuple(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"))
  .map(([value, indent]) => JSON.stringify(value, undefined, indent))

const space = fc.constantFrom("", " ", "\n", "\r\n\t")

const texts = (json: string): ReadonlyArray<unknown> => {
  const { set } = parseKeeping(json, "set", "value") as { set: ReadonlyArray<{ value?: unknown }> }
  return set.map(({ value }) => (value instanceof JsonText ? value.text : value))
}

describe("JSON that is parsed and keeps some values as they were written", () => {
  it("keeps every value's own text, whatever stands around it", () => {
    fc.assert(
      fc.property(fc.array(spaced, { maxLength: 6 }), fc.jsonValue(), space, (values, other, gap) => {
        const items = values.map(
          (value) => `{${gap}"key":"k]},{",${gap}"value"${gap}:${gap}${value}${gap},"tags":["}"]${gap}}`
        )
        const body = `${gap}{"get":${JSON.stringify([other])}${gap},"set":${gap}[${gap}${items.join(`${gap},${gap}`)}${gap}]}${gap}`
        expect(texts(body)).toStrictEqual(
          values.map((value) => (value.startsWith('"') ? (JSON.parse(value) as string) : value))
        )
      }),
      { numRuns: runs(500) }
    )
  })

  it.each([
    ["9007199254740993", "9007199254740993"],
    ["1e999", "1e999"],
    ["-0", "-0"],
    ["1.10", "1.10"],
    ['{"b":1,"a":1,"b":2}', '{"b":1,"a":1,"b":2}'],
    ['"\\u0061"', "a"]
  ])("keeps %s", (written, kept) => {
    expect(texts(`{"set":[{"key":"a","value":${written}}]}`)).toStrictEqual([kept])
    expect(texts(`{"set":[{"v\\u0061lue":${written},"key":"a"}]}`)).toStrictEqual([kept])
  })

  it("takes the last of members of one name, as JSON.parse does", () => {
    expect(texts('{"set":[{"value":0}],"set":[{"value":1,"value":2.0}]}')).toStrictEqual(["2.0"])
  })

  it.each([
    "[]",
    "1",
    "{}",
    '{"set":1}',
    '{"set":[]}',
    '{"set":[1,null,[],"x",{}]}',
    '{"set":{"value":1}}'
  ])("parses what has another shape, such as %s", (json) => {
    expect(parseKeeping(json, "set", "value")).toStrictEqual(JSON.parse(json))
  })

  it("refuses what is no JSON", () => {
    expect(() => parseKeeping('{"set":[{"value":01}]}', "set", "value")).toThrow(SyntaxError)
  })
})

describe("a member that an object has twice", () => {
  it.each([
    ['{"get": ["a"], "get": ["b"]}', "get"],
    ['{"set": [{"key": "a", "ttl": 1, "value": {"x": 1, "x": 2}, "ttl": 2}]}', "ttl"],
    ['{"a": {"b": [{"c": 1, "c" : 1}]}}', "c"],
    ['{"a": 1, "\\u0061": 2}', "a"],
    ['{"value": 1, "value": 2}', "value"]
  ])("%s", (text, name) => expect(repeatedMember(text, "value")).toBe(name))

  it.each([
    '{"set": [{"key": "a", "value": {"x": 1, "x": 2}}, {"key": "a", "value": [{"x": 1, "x": 2}]}]}',
    '{"a": {"b": 1}, "b": {"a": 1}}',
    '["a", "a", {"a": "a"}]',
    '{"a": "{\\"a\\": 1, \\"a\\": 2}"}',
    '{"value": {"x": ',
    '{"a": "\\',
    '"a": "a": "a"',
    "]]}}{{"
  ])("is none in %s", (text) => expect(repeatedMember(text, "value")).toBeUndefined())
})
