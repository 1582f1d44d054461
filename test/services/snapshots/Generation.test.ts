import { expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Frame from "../../../src/services/compression/model/Frame.ts"
import { compareUtf8 } from "../../../src/services/kv/model/KvPaging.ts"
import * as Generation from "../../../src/services/snapshots/model/Generation.ts"

const name = { name: fc.string({ minLength: 1, maxLength: 12 }), parts: fc.integer({ min: 1, max: 4 }) }

const segment = fc.record({
  ...name,
  bytes: fc.nat(),
  blocks: fc.array(fc.record({ first: fc.string({ unit: "binary", maxLength: 8 }), marks: fc.boolean() }), {
    maxLength: 4
  })
})

const generation: fc.Arbitrary<Generation.Generation> = fc.record({
  sequence: fc.nat(),
  basedAt: fc.nat(),
  runs: fc.array(fc.array(segment, { maxLength: 3 }), { maxLength: 3 }),
  superseded: fc.array(fc.record({ ...name, sequence: fc.nat(), since: fc.nat() }), { maxLength: 4 })
})

const encoded = (given: Generation.Generation, inline: ReadonlyArray<Uint8Array> = []) =>
  Either.getOrThrow(Generation.encode(given, inline))

const decoded = (bytes: Uint8Array) => Generation.decode(Either.getOrThrow(Frame.split(bytes)))

it.prop(
  "a generation and the frames behind it come back as they were",
  [generation, fc.array(generation, { maxLength: 3 })],
  ([given, others]) => {
    const inline = others.map((other) => encoded(other))
    const found = Either.getOrThrow(decoded(encoded(given, inline)))
    expect(found.generation).toStrictEqual(given)
    expect(found.inline.map((bytes) => [...bytes])).toEqual(inline.map((bytes) => [...bytes]))
  }
)

it.prop("without one of its frames it is damaged, not shorter", [generation, generation], ([given, other]) => {
  const whole = encoded(given, [encoded(other)])
  const result = decoded(whole.subarray(0, whole.byteLength - encoded(other).byteLength))
  expect(Either.isLeft(result) && result.left.reason).toBe("Damaged")
  expect(Either.isLeft(decoded(Uint8Array.of(...whole, ...encoded(other))))).toBe(true)
})

it("nothing is no generation", () => {
  expect(Either.isLeft(decoded(new Uint8Array()))).toBe(true)
})

it.prop(
  "the block that may hold an id is the last that does not begin above it",
  [
    fc.uniqueArray(fc.string({ unit: "binary", maxLength: 4 }), { minLength: 1, maxLength: 12 }),
    fc.integer({ min: 1, max: 4 })
  ],
  ([ids, perBlock]) => {
    const sorted = [...ids].sort(compareUtf8)
    const blocks = Array.from({ length: Math.ceil(sorted.length / perBlock) }, (_, at) => ({
      first: sorted[at * perBlock]!,
      marks: false
    }))
    const run = [
      { name: "a", parts: 1, bytes: 1, blocks: [{ first: "z", marks: true }, ...blocks.slice(0, 2)] },
      { name: "b", parts: 1, bytes: 1, blocks: blocks.slice(2) }
    ]
    for (const [at, id] of sorted.entries()) {
      const { at: frame, segment } = Generation.blockFor(run, id)!
      const block = Math.floor(at / perBlock)
      expect([segment.name, frame]).toEqual(block < 2 ? ["a", block + 1] : ["b", block - 2])
    }
  }
)
