import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { isLegalKey, limits } from "../../../src/services/kv/Kv.ts"
import * as Trace from "../../../src/services/replay/model/Trace.ts"
import { uniqueBytes } from "../../../src/services/replay/Workload.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { slotBytes } from "../../../src/services/tiers/MemoryTier.ts"

const row = (overrides: Partial<Trace.TraceRow>): Trace.TraceRow => ({
  at: 0,
  key: "k",
  size: 1,
  operation: "read",
  session: undefined,
  ...overrides
})

const traceOf = (...rows: ReadonlyArray<Partial<Trace.TraceRow>>): Trace.Trace => {
  const trace = Trace.builder()
  for (const overrides of rows) trace.add(row(overrides))
  return trace.finish("t")
}

const collection = define("default")

describe("Trace", () => {
  it("gives back its rows, in order of time and else as they came", () => {
    const rows = fc.array(
      fc.record({
        at: fc.integer({ min: 0, max: 20 }),
        key: fc.constantFrom("a", "b", "c/d?e"),
        size: fc.nat(1000),
        operation: fc.constantFrom<Trace.TraceOperation>("read", "write", "delete"),
        session: fc.option(fc.constantFrom("x", "y"), { nil: undefined })
      }),
      { minLength: 1 }
    )
    fc.assert(
      fc.property(rows, (rows) => {
        const workload = Trace.toWorkload(traceOf(...rows), collection)
        const sessions = [...new Set(rows.flatMap(({ session }) => session ?? []))]
        const replayed = Array.from({ length: workload.length }, (_, index) => {
          const request = workload.request(index)
          if (!("entry" in request)) throw new Error(`a trace has no ${request.kind}`)
          const { at, entry, kind, session, size } = request
          const name = session === undefined ? undefined : sessions[session]
          return { at, key: workload.entries[entry]!.key, size, operation: kind, session: name }
        })
        expect(replayed).toEqual(rows.toSorted((a, b) => a.at - b.at))
      })
    )
  })

  it("hashes every key that KV would not take, each to one of its own", () => {
    const long = "x".repeat(limits.keyBytes)
    const keys = [long, `${long}y`, `${long}z`, "ü".repeat(257), ".", "..", "a"]
    const trace = traceOf(...keys.map((key) => ({ key })), { key: `${long}y` })
    expect(trace.notes.hashedKeys).toBe(5)
    expect(trace.keys.every(isLegalKey)).toBe(true)
    expect(new Set(trace.keys).size).toBe(keys.length)
    expect(trace.keys[0]).toBe(long)
    expect(trace.keys[6]).toBe("a")
  })

  it("cuts values to 25 MiB and says how many", () => {
    const trace = traceOf({ size: limits.valueBytes }, { size: limits.valueBytes + 1 }, { size: 10 ** 12 })
    expect([...trace.size]).toEqual([limits.valueBytes, limits.valueBytes, limits.valueBytes])
    expect(trace.notes.cappedValues).toBe(2)
  })

  it("takes a size the source does not tell for the key's largest, or else for the median of the keys", () => {
    const trace = traceOf(
      { size: undefined },
      { size: 7 },
      { size: 3 },
      { size: undefined },
      { key: "l", size: undefined, operation: "write" },
      { key: "m", size: 9 },
      { key: "n", size: 1000 }
    )
    expect([...trace.size]).toEqual([7, 7, 3, 7, 9, 9, 1000])
    expect(trace.notes).toMatchObject({ unsizedKeys: 1, assumedSize: 9 })
    expect([...traceOf({ size: undefined }).size]).toEqual([1024])
  })

  it("takes no more names than it may hold, and says how many requests came before", () => {
    const trace = Trace.builder(undefined, { rows: 5, names: 2 })
    for (const key of ["a", "b", "a", "b"]) trace.add(row({ key }))
    expect(() => trace.add(row({ key: "c" }))).toThrow(
      expect.objectContaining({ rows: 4, message: "more than 2 keys" })
    )
    trace.add(row({ key: "a" }))
    expect(() => trace.add(row({ key: "a" }))).toThrow(expect.objectContaining({ message: "more than 5 requests" }))
    const first = Trace.builder(2)
    for (const key of ["a", "b", "c"]) first.add(row({ key }))
    expect(first.finish("t").keys).toEqual(["a", "b"])
  })

  it("keeps apart keys that are no Unicode", () => {
    const keys = ["\udce9", "\udce8", "a\udce9", "\ud800"]
    const trace = traceOf(...keys.map((key) => ({ key })))
    expect(new Set(trace.keys).size).toBe(4)
    expect(trace.keys.every(isLegalKey)).toBe(true)
  })

  it("counts a key once, at its largest, in the workload's unique bytes", () => {
    const workload = Trace.toWorkload(
      traceOf({ key: "a", size: 5 }, { key: "a", size: 50 }, { key: "bb", size: 1 }),
      collection
    )
    expect(uniqueBytes(workload)).toBe(slotBytes("default/a", 50) + slotBytes("default/bb", 1))
  })
})
