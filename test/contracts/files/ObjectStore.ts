import { describe, expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import type { ByteRange } from "../../../src/services/files/model/ByteRange.ts"
import { limits, type ObjectStore, type ObjectStoreError } from "../../../src/services/files/ObjectStore.ts"
import { runs } from "../../support/runs.ts"

type Service = Context.Tag.Service<ObjectStore>

const encoder = new TextEncoder()
const textOf = (bytes: number): Uint8Array => {
  const line = encoder.encode("time,key,size,op\n1790000000,quotes/S1,512,r\n")
  return Uint8Array.from({ length: bytes }, (_, i) => line[i % line.byteLength]! ^ (i % 4099 === 0 ? 1 : 0))
}
const noiseOf = (bytes: number): Uint8Array => {
  const noise = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536))
  return noise
}
const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && Buffer.compare(Buffer.from(a.buffer, a.byteOffset, a.byteLength), b) === 0

const read = (stream: ReadableStream<Uint8Array>): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => new Uint8Array(await new Response(stream).arrayBuffer()))

const options = { contentType: "text/csv", limit: 2 ** 26 }

/** Chunks of a stream, and then an error where there is one. */
const streamOf = (bytes: Uint8Array, failure?: Error): ReadableStream<Uint8Array> => {
  let at = 0
  return new ReadableStream({
    pull: (controller) => {
      if (at < bytes.byteLength) {
        controller.enqueue(bytes.slice(at, at + 500_000))
        at += 500_000
      } else if (failure === undefined) controller.close()
      else controller.error(failure)
    }
  })
}

/** What every ObjectStore promises. `left` counts what a bucket holds, uploads under way included. */
export const objectStoreContract = (name: string, open: () => Service): void => {
  const law = (title: string, body: (store: Service, key: string) => Effect.Effect<void, ObjectStoreError>) =>
    it(title, () => Effect.runPromise(body(open(), `law-${crypto.randomUUID()}/ü file.csv`)))

  const content = (store: Service, key: string, expected?: ByteRange, slice?: { offset: number; length: number }) =>
    Effect.gen(function* () {
      const opened = Option.getOrThrow(yield* store.open(key, expected))
      return yield* Effect.flatMap(opened.read("identity", slice ?? { offset: 0, length: opened.info.bytes }), read)
    })

  const reasonOf = <A>(effect: Effect.Effect<A, ObjectStoreError>) =>
    Effect.match(effect, { onFailure: ({ reason }) => reason as string, onSuccess: () => "done" })

  describe(`ObjectStore: ${name}`, () => {
    law("an object comes back as it was put, with its type and metadata", (store, key) =>
      Effect.gen(function* () {
        for (const [bytes, contentType] of [
          [new Uint8Array(0), "text/plain"],
          [Uint8Array.of(7), "text/plain"],
          [textOf(300_000), "text/csv; charset=utf-8"],
          [noiseOf(300_000), "image/png"]
        ] as const) {
          const put = yield* store.put(key, bytes, { ...options, contentType, metadata: { owner: "o" } })
          expect(put).toMatchObject({ key, bytes: bytes.byteLength, contentType, metadata: { owner: "o" } })
          expect(Option.getOrThrow(yield* store.head(key))).toStrictEqual(put)
          expect(Option.getOrThrow(yield* store.open(key)).info).toStrictEqual(put)
          expect(same(yield* content(store, key), bytes)).toBe(true)
        }
      })
    )

    law("text is stored as one gzip member, what does not gain as it is", (store, key) =>
      Effect.gen(function* () {
        const text = textOf(400_000)
        const packed = yield* store.put(key, text, options)
        expect(packed.coding).toBe("gzip")
        expect(packed.storedBytes).toBeLessThan(text.byteLength / 5)
        const opened = Option.getOrThrow(yield* store.open(key))
        const stored = yield* opened.read("gzip", { offset: 0, length: packed.storedBytes })
        expect(same(yield* read(stored.pipeThrough(new DecompressionStream("gzip") as never)), text)).toBe(true)
        const noise = noiseOf(50_000)
        const plain = yield* store.put(key, noise, { ...options, contentType: "application/octet-stream" })
        expect(plain).toMatchObject({ coding: "identity", bytes: 50_000, storedBytes: 50_000 })
      })
    )

    it("any part of an object is the same part of its content, whatever was expected", async () => {
      const store = open()
      const sizes = [0, 1, 131_071, 131_072, 131_073, 400_000]
      for (const [kind, make] of [["text/csv", textOf] as const, ["image/png", noiseOf] as const]) {
        for (const size of sizes) {
          const key = `parts-${crypto.randomUUID()}`
          const bytes = make(size)
          await Effect.runPromise(store.put(key, bytes, { ...options, contentType: kind }))
          const edge = fc.oneof(fc.constantFrom(0, 1, 131_071, 131_072, 131_073, 262_144), fc.nat(size))
          const property = fc.asyncProperty(edge, edge, fc.option(edge), async (a, b, expected) => {
            const offset = Math.min(a, b, size)
            const length = Math.min(Math.max(a, b), size) - offset
            const part = await Effect.runPromise(
              content(store, key, expected === null ? undefined : { first: expected, last: undefined }, {
                offset,
                length
              })
            )
            expect(same(part, bytes.subarray(offset, offset + length))).toBe(true)
          })
          await fc.assert(property, { numRuns: runs(12) })
          const [suffix, matching] = [Math.min(size, 700), Math.min(size, 9)]
          const tail = content(store, key, { suffix: 700 }, { offset: size - suffix, length: suffix })
          expect(same(await Effect.runPromise(tail), bytes.subarray(size - suffix))).toBe(true)
          const head = content(store, key, { first: 0, last: 8 }, { offset: 0, length: matching })
          expect(same(await Effect.runPromise(head), bytes.subarray(0, matching))).toBe(true)
        }
      }
    })

    law(
      "a long stream is stored whole, compressed where its length is known, and any part of it is found",
      (store, key) =>
        Effect.gen(function* () {
          const text = textOf(limits.partBytes + 1_234_567)
          for (const length of [text.byteLength, undefined]) {
            const put = yield* store.put(key, streamOf(text), {
              ...options,
              ...(length === undefined ? {} : { length })
            })
            expect(put.bytes).toBe(text.byteLength)
            if (length !== undefined) expect(put.storedBytes).toBeLessThan(text.byteLength / 5)
            const part = yield* content(store, key, undefined, { offset: limits.partBytes - 3, length: 7 })
            expect(same(part, text.subarray(limits.partBytes - 3, limits.partBytes + 4))).toBe(true)
            expect(same(yield* content(store, key), text)).toBe(true)
          }
          const noise = noiseOf(limits.partBytes + 5)
          const plain = yield* store.put(key, streamOf(noise), { ...options, length: noise.byteLength })
          expect(plain.coding).toBe("identity")
          expect(same(yield* content(store, key), noise)).toBe(true)
        })
    )

    law("what compresses and is still long is stored in parts, and any part of it is found", (store, key) =>
      Effect.gen(function* () {
        const hex = encoder.encode(Buffer.from(noiseOf(8_000_000)).toString("hex"))
        const put = yield* store.put(key, streamOf(hex), {
          ...options,
          contentType: "text/plain",
          length: hex.byteLength
        })
        expect(put.coding).toBe("gzip")
        expect(put.storedBytes).toBeGreaterThan(limits.partBytes)
        expect(put.storedBytes).toBeLessThan(0.7 * hex.byteLength)
        for (const offset of [0, 9_999_999, 15_999_990]) {
          const part = yield* content(store, key, undefined, { offset, length: 10 })
          expect(same(part, hex.subarray(offset, offset + 10))).toBe(true)
        }
        expect(same(yield* content(store, key), hex)).toBe(true)
        yield* store.delete([key])
        expect(yield* store.head(key)).toStrictEqual(Option.none())
      })
    )

    law("a body that ends early or late, or is too long, leaves what was there", (store, key) =>
      Effect.gen(function* () {
        const before = yield* store.put(key, textOf(10), options)
        const long = textOf(limits.partBytes + 600_000)
        const noise = noiseOf(limits.partBytes + 600_000)
        const failure = new Error("the client left")
        for (const [body, more, reason] of [
          [streamOf(textOf(100), failure), {}, "IncompleteBody"],
          [streamOf(long, failure), {}, "IncompleteBody"],
          [streamOf(long, failure), { length: long.byteLength + 9 }, "IncompleteBody"],
          [streamOf(noise, failure), { length: noise.byteLength + 9 }, "IncompleteBody"],
          [streamOf(textOf(100)), { length: 99 }, "IncompleteBody"],
          [streamOf(textOf(100)), { length: 101 }, "IncompleteBody"],
          [streamOf(long), { length: long.byteLength + 1 }, "IncompleteBody"],
          [streamOf(textOf(100)), { limit: 99 }, "TooLarge"],
          [streamOf(textOf(100)), { length: 100, limit: 99 }, "TooLarge"],
          [streamOf(long), { limit: long.byteLength - 1 }, "TooLarge"]
        ] as const) {
          expect(yield* reasonOf(store.put(key, body, { ...options, ...more }))).toBe(reason)
          expect(Option.getOrThrow(yield* store.head(key))).toStrictEqual(before)
        }
      })
    )

    law("a condition decides whether a put counts", (store, key) =>
      Effect.gen(function* () {
        const put = (match: "any" | "none" | ReadonlyArray<string>, text: string) =>
          reasonOf(store.put(key, encoder.encode(text), { ...options, condition: { match } }))
        expect(yield* put("any", "a")).toBe("ConditionFailed")
        expect(yield* put(["x"], "a")).toBe("ConditionFailed")
        expect(yield* put("none", "a")).toBe("done")
        expect(yield* put("none", "b")).toBe("ConditionFailed")
        const { etag } = Option.getOrThrow(yield* store.head(key))
        expect(yield* put([], "b")).toBe("ConditionFailed")
        expect(yield* put(["x", etag], "b")).toBe("done")
        expect(yield* put([etag], "c")).toBe("ConditionFailed")
        expect(yield* put("any", "c")).toBe("done")
        expect(new TextDecoder().decode(yield* content(store, key))).toBe("c")
      })
    )

    law("absent, deleted and illegal keys", (store, key) =>
      Effect.gen(function* () {
        expect(yield* store.open(key)).toStrictEqual(Option.none())
        expect(yield* store.open(key, { first: 0, last: 9 })).toStrictEqual(Option.none())
        yield* store.put(key, textOf(3), options)
        yield* store.delete([key, `${key}-absent`])
        expect(yield* store.head(key)).toStrictEqual(Option.none())
        for (const bad of ["", "k".repeat(limits.keyBytes + 1), "\ud800"]) {
          expect(yield* reasonOf(store.head(bad))).toBe("BadKey")
          expect(yield* reasonOf(store.put(bad, textOf(1), options))).toBe("BadKey")
        }
        expect(yield* reasonOf(store.put("k".repeat(limits.keyBytes), textOf(1), options))).toBe("done")
        const heavy = { ...options, metadata: { note: "n".repeat(limits.metadataBytes) } }
        expect(yield* reasonOf(store.put(key, textOf(1), heavy))).toBe("TooLarge")
      })
    )

    law("a list gives every key once, in order, page by page", (store, key) =>
      Effect.gen(function* () {
        const keys = ["a", "b/1", "b/2", "z", "é", "\u{1f600}"].map((name) => `${key}/${name}`)
        for (const one of keys) yield* store.put(one, textOf(700), options)
        const found: Array<string> = []
        let cursor: string | undefined
        do {
          const page = yield* store.list({ prefix: `${key}/`, limit: 2, ...(cursor === undefined ? {} : { cursor }) })
          expect(page.objects.every(({ bytes }) => bytes === 700)).toBe(true)
          found.push(...page.objects.map((object) => object.key))
          cursor = page.cursor
        } while (cursor !== undefined)
        expect(found).toStrictEqual(keys)
      })
    )

    law("a copy is the same object under another key", (store, key) =>
      Effect.gen(function* () {
        const text = textOf(200_000)
        yield* store.put(key, text, { ...options, metadata: { a: "1" } })
        expect(yield* store.copy(key, `${key}-copy`)).toBe(true)
        const copied = Option.getOrThrow(yield* store.head(`${key}-copy`))
        expect(copied).toMatchObject({ bytes: 200_000, contentType: "text/csv", metadata: { a: "1" } })
        const part = yield* content(store, `${key}-copy`, undefined, { offset: 150_000, length: 20 })
        expect(same(part, text.subarray(150_000, 150_020))).toBe(true)
        expect(yield* store.copy(`${key}-absent`, key)).toBe(false)
      })
    )

    law("an upload by parts becomes an object when it is complete, and nothing when it is aborted", (store, key) =>
      Effect.gen(function* () {
        const [first, last] = [noiseOf(limits.partBytes), noiseOf(1000)]
        const id = yield* store.createUpload(key, options)
        const two = yield* store.uploadPart(key, id, 2, last)
        yield* store.uploadPart(key, id, 1, noiseOf(limits.partBytes))
        const one = yield* store.uploadPart(key, id, 1, first)
        expect(yield* store.head(key)).toStrictEqual(Option.none())
        const info = yield* store.completeUpload(key, id, [one, two])
        expect(info).toMatchObject({ key, bytes: limits.partBytes + 1000, contentType: "text/csv" })
        const part = yield* content(store, key, undefined, { offset: limits.partBytes - 1, length: 2 })
        expect(part).toStrictEqual(Uint8Array.of(first.at(-1)!, last[0]!))
        expect(yield* reasonOf(store.uploadPart(key, id, 1, new Uint8Array(limits.partBytes + 1)))).toBe("BadPart")

        const other = yield* store.createUpload(`${key}-2`, options)
        yield* store.uploadPart(`${key}-2`, other, 1, last)
        yield* store.abortUpload(`${key}-2`, other)
        expect(yield* store.head(`${key}-2`)).toStrictEqual(Option.none())
        expect(yield* reasonOf(store.uploadPart(`${key}-2`, other, 1, last))).toBe("NoSuchUpload")
      })
    )
  })
}
