import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { logValue } from "../../../src/services/base/model/LogValue.ts"
import { KvError } from "../../../src/services/kv/Kv.ts"
import { runs } from "../../support/runs.ts"

class Tagged extends Data.TaggedError("Tagged")<{ readonly code: number; readonly cause?: unknown }> {}

const circular: Record<string, unknown> = { name: "a" }
circular.self = { again: circular }

const circularError = new Error("outer") as Error & { cause: unknown }
circularError.cause = circularError

describe("a value in the log", () => {
  it.each([
    ["an error", new TypeError("no such thing"), { name: "TypeError", message: "no such thing" }],
    [
      "one that has fields",
      Object.assign(new Error("failed"), { code: 1101, retryable: true }),
      { name: "Error", message: "failed", code: 1101, retryable: true }
    ],
    [
      "nested causes",
      new Error("a", { cause: new Error("b", { cause: "c" }) }),
      { name: "Error", message: "a", cause: { name: "Error", message: "b", cause: "c" } }
    ],
    ["a tagged error", new Tagged({ code: 3 }), { name: "Tagged", code: 3 }],
    [
      "a tagged error of ours",
      new KvError({ operation: "get", reason: "Unavailable", cause: new Error("boom") }),
      {
        name: "KvError",
        message: "KV get failed: Unavailable (boom)",
        operation: "get",
        reason: "Unavailable",
        cause: { name: "Error", message: "boom" }
      }
    ],
    [
      "several at once",
      new AggregateError([new Error("a"), "b"], "two"),
      { name: "AggregateError", message: "two", errors: [{ name: "Error", message: "a" }, "b"] }
    ],
    ["one of another realm", { message: "x", stack: "Error: x", name: "E" }, { name: "E", message: "x" }],
    ["one of the host", new DOMException("aborted", "AbortError"), { name: "AbortError", message: "aborted" }],
    ["an error that causes itself", circularError, { name: "Error", message: "outer", cause: "[circular]" }],
    ["a circle", circular, { name: "a", self: { again: "[circular]" } }],
    ["a plain object", { a: 1, b: { c: null } }, { a: 1, b: { c: null } }],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ["nothing in an object", {}, "[object Object]"],
    ["an object that shows nothing", new Response("x"), "[object Response]"],
    ["a big integer", 123n, "123n"],
    ["numbers that JSON lacks", [Number.NaN, Number.POSITIVE_INFINITY, -0], ["NaN", "Infinity", -0]],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["a function", function named() {}, "function named"],
    ["nothing", undefined, "undefined"],
    ["null", null, null],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["no date", new Date(Number.NaN), "[no date]"],
    [
      "a map",
      new Map<unknown, unknown>([
        ["a", 1n],
        [2, new Set(["x"])]
      ]),
      { a: "1n", "2": ["x"] }
    ],
    ["bytes", new Uint8Array(3), "[3 bytes]"],
    ["an option", Option.some(1), { _id: "Option", _tag: "Some", value: 1 }],
    ["a duration", Duration.seconds(1), { _id: "Duration", _tag: "Millis", millis: 1000 }],
    [
      "what throws when it is read",
      {
        a: 1,
        get b() {
          throw new Error("no")
        }
      },
      { a: 1, b: "[unreadable: Error: no]" }
    ],
    [
      "what throws when it is asked for JSON",
      {
        toJSON: () => {
          throw new Error("no")
        }
      },
      "[unreadable: no]"
    ],
    ["what says nothing as JSON", { a: 1, toJSON: () => ({}) }, { a: 1, toJSON: "function toJSON" }],
    ["a revoked proxy", revoked(), "[unreadable: Cannot perform 'getPrototypeOf' on a proxy that has been revoked]"]
  ])("%s", (_, value, expected) => {
    expect(JSON.parse(JSON.stringify(logValue(value)))).toStrictEqual(JSON.parse(JSON.stringify(expected)) ?? expected)
  })

  it("an Effect cause is none of these: its failures are", () => {
    expect(JSON.stringify(logValue(Cause.fail(new Error("x"))))).toContain("x")
  })

  it("is cut where it is long, wide or deep", () => {
    expect(logValue("x".repeat(5000))).toHaveLength(2002)
    expect(logValue(Array.from({ length: 99 }, (_, i) => i))).toHaveLength(51)
    let deep: unknown = "end"
    for (let i = 0; i < 100; i++) deep = { deep }
    expect(JSON.stringify(logValue(deep))).toContain("[more]")
    const wide = Array.from({ length: 40 }, () => Array.from({ length: 40 }, () => ({ a: { b: 1 } })))
    expect(JSON.stringify(logValue(wide)).length).toBeLessThan(40_000)
  })

  it("is JSON whatever it is, and says something of every object", () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withSparseArray: true,
          withTypedArray: true,
          withNullPrototype: true
        }),
        (value) => {
          const text = JSON.stringify(logValue({ cause: new Error("e", { cause: value }), value }))
          expect(JSON.parse(text)).toBeTypeOf("object")
          expect(text.replace(/"(?:[^"\\]|\\.)*"/g, "")).not.toMatch(/[:,[]\{\}/)
        }
      ),
      { numRuns: runs(300) }
    )
  })
})

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
