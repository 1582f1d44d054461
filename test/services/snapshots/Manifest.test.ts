import { expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { summaryOf } from "../../../src/services/durable/Shard.ts"
import * as Manifest from "../../../src/services/snapshots/model/Manifest.ts"
import { rowOf, stamp } from "../../support/durable/shardImages.ts"

const segment = fc.record({
  name: fc.string({ minLength: 1, maxLength: 12 }),
  parts: fc.integer({ min: 1, max: 4 }),
  bytes: fc.nat(),
  frames: fc.array(fc.nat(), { maxLength: 3 }),
  live: fc.array(
    fc.record({ id: fc.string({ unit: "binary", maxLength: 8 }), version: stamp, slot: fc.nat(), bytes: fc.nat() }),
    { maxLength: 4 }
  )
})

const manifest: fc.Arbitrary<Manifest.Manifest> = fc.record({
  segments: fc.array(segment, { maxLength: 4 }),
  superseded: fc.array(fc.record({ name: fc.string({ maxLength: 12 }), parts: fc.nat({ max: 4 }), since: fc.nat() }), {
    maxLength: 4
  })
})

const encoded = (given: Manifest.Manifest, inline: ReadonlyArray<Uint8Array> = []) =>
  Either.getOrThrow(Manifest.encode(given, inline))

it.prop(
  "a manifest and the frames behind it come back as they were",
  [manifest, fc.array(manifest, { maxLength: 3 })],
  ([given, others]) => {
    const inline = others.map((other) => encoded(other))
    const decoded = Either.getOrThrow(Manifest.decode(encoded(given, inline)))
    expect(decoded.manifest).toStrictEqual(given)
    expect(decoded.inline.map((bytes) => [...bytes])).toEqual(inline.map((bytes) => [...bytes]))
  }
)

it.prop("without one of its frames it is damaged, not shorter", [manifest, manifest], ([given, other]) => {
  const whole = encoded(given, [encoded(other)])
  const result = Manifest.decode(whole.subarray(0, whole.byteLength - encoded(other).byteLength))
  expect(Either.isLeft(result) && result.left.reason).toBe("Damaged")
  const more = Uint8Array.of(...whole, ...encoded(other))
  expect(Either.isLeft(Manifest.decode(more))).toBe(true)
})

it("nothing is no manifest", () => {
  expect(Either.getLeft(Manifest.decode(new Uint8Array()))._tag).toBe("Some")
})

const summary = (id: string, wall: number) => summaryOf(rowOf(id, wall, 100))
const rows = [1, 2, 3, 4].map((i) => summary(`row-${i}`, i))
const name = { name: "s", parts: 1 }
const base: Manifest.Manifest = { segments: [Manifest.locate(name, [rows.slice(0, 3), rows.slice(3)])], superseded: [] }

it("a segment half of which is live is kept, with what is live of it; the rest is written, oldest first", () => {
  const changed = [rows[0]!, summary("row-2", 9), rows[2]!, summary("row-5", 5)]
  const plan = Manifest.plan(base, changed, 77)
  expect(plan.segments.map(({ live }) => live.map(({ id }) => id))).toEqual([["row-1", "row-3"]])
  expect(plan.fresh.map(({ id }) => id)).toEqual(["row-5", "row-2"])
  expect(plan.superseded).toEqual([])
})

it("one less than half live is superseded from now on, and what was live of it is written anew", () => {
  const plan = Manifest.plan(base, [rows[0]!], 77)
  expect(plan.segments).toEqual([])
  expect(plan.fresh).toEqual([rows[0]])
  expect(plan.superseded).toEqual([{ ...name, since: 77 }])
})

it("a row that has stamps ahead is written anew, since they may change without its version", () => {
  const ahead = { ...rows[0]!, ahead: [{ wall: 99, counter: 0, writer: "x" }] }
  const plan = Manifest.plan(base, [ahead, ...rows.slice(1)], 77)
  expect(plan.fresh).toEqual([ahead])
  expect(plan.segments.length).toBe(1)
})

it("a row that lies in two segments is taken from one", () => {
  const twice = { segments: [base.segments[0]!, { ...base.segments[0]!, name: "t" }], superseded: [] }
  const plan = Manifest.plan(twice, rows, 77)
  expect(plan.segments.map((one) => one.name)).toEqual(["s"])
  expect(plan.superseded.map((one) => one.name)).toEqual(["t"])
})
