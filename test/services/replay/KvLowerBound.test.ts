import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as fc from "effect/FastCheck"
import { kvLowerBoundOf } from "../../../src/services/replay/model/KvLowerBound.ts"
import * as Trace from "../../../src/services/replay/model/Trace.ts"
import { define, type Policy } from "../../../src/services/store/model/Collection.ts"

/** Requests as `operation key @second`, separated by blanks: `rA@0 wB@3`. */
const bound = (requests: string, policy: Partial<Policy> = {}) => {
  const trace = Trace.builder()
  for (const request of requests.split(" ")) {
    const [, letter, key, second] = /^([rwd])(\w+)@([\d.]+)$/.exec(request)!
    const operation = ({ r: "read", w: "write", d: "delete" } as const)[letter as "r" | "w" | "d"]
    trace.add({ at: Number(second) * 1000, key: key!, size: 1, operation, session: undefined })
  }
  const forever = { memoryTtl: Duration.infinity, edgeTtl: Duration.infinity }
  const { kvReads, kvWrites } = kvLowerBoundOf(
    Trace.toWorkload(trace.finish("t"), define("default", { ...forever, ...policy }))
  )
  return [kvReads, kvWrites]
}

const minute = { memoryTtl: Duration.seconds(60), edgeTtl: Duration.seconds(30) }
const behind = { write: "behind", flushEvery: Duration.seconds(10) } as const

describe("kvLowerBoundOf", () => {
  it("without a ttl, is the number of keys read", () => {
    expect(bound("rA@0 rB@1 rA@2 rC@3 rB@1000000")).toEqual([3, 0])
  })

  it("with a ttl, opens a window at the first read it does not cover", () => {
    expect(bound("rA@0 rA@59 rA@60 rA@119 rA@121", minute)).toEqual([3, 0])
  })

  it("knows the outcome of writes and deletes without asking", () => {
    expect(bound("wA@0 rA@10 dB@0 rB@10 rA@70", minute)).toEqual([1, 1])
  })

  it("counts of writes a key takes within a second the one that KV can bill", () => {
    expect(bound("wA@0 wA@0.5 wA@1 wB@1 wA@1.9 wA@2")).toEqual([0, 4])
  })

  it("flushes what is buffered once a window", () => {
    expect(bound("wA@0 wA@5 wA@9 wA@10 wB@3", behind)).toEqual([0, 3])
  })

  it("flushes nothing that was deleted before its flush", () => {
    expect(bound("wA@0 dA@5 wA@20 dA@40", behind)).toEqual([0, 1])
  })

  it("is never above the operations themselves, and reads are no more the longer the ttl", () => {
    const request = fc.tuple(fc.constantFrom("r", "w", "d"), fc.constantFrom("A", "B"), fc.integer({ min: 0, max: 99 }))
    fc.assert(
      fc.property(fc.array(request, { minLength: 1 }), fc.boolean(), (requests, buffers) => {
        const text = requests
          .toSorted((a, b) => a[2] - b[2])
          .map(([operation, key, at]) => `${operation}${key}@${at}`)
          .join(" ")
        const policy = buffers ? behind : {}
        const reads = requests.filter(([operation]) => operation === "r").length
        const writes = requests.filter(([operation]) => operation === "w").length
        const counts = [0, 1, 7, 60, Number.POSITIVE_INFINITY].map((seconds) => {
          const ttl = Number.isFinite(seconds) ? Duration.seconds(seconds) : Duration.infinity
          return bound(text, { ...policy, memoryTtl: ttl, edgeTtl: Duration.zero })
        })
        expect(counts[0]![0]).toBe(reads)
        for (const [index, [kvReads, kvWrites]] of counts.entries()) {
          expect(kvReads).toBeLessThanOrEqual(counts[Math.max(0, index - 1)]![0]!)
          expect(kvWrites).toBeLessThanOrEqual(writes)
        }
      })
    )
  })
})
