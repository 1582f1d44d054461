import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { StoredResponse } from "../../../src/services/http-cache/model/StoredResponse.ts"
import { ResponseStore } from "../../../src/services/http-cache/ResponseStore.ts"

const key = "https://example.com/a"

export const stored = (own: Partial<StoredResponse> = {}): StoredResponse => ({
  id: "body-1",
  url: key,
  status: 200,
  statusText: "OK",
  headers: [["content-type", "text/plain"]],
  requestTime: 1000,
  responseTime: 1000,
  date: 1000,
  initialAge: 0,
  lifetime: 60,
  reuse: "stale",
  staleWhileRevalidate: 0,
  staleIfError: undefined,
  vary: [],
  selecting: [],
  tags: [],
  etag: undefined,
  lastModified: undefined,
  language: undefined,
  part: undefined,
  rangeable: true,
  size: 5,
  ...own
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const read = (found: Option.Option<{ readonly bytes: Uint8Array | ReadableStream<Uint8Array> }>) =>
  Effect.promise(async () => (Option.isNone(found) ? undefined : new Response(found.value.bytes as BodyInit).text()))

const streamOf = (...chunks: ReadonlyArray<string>): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(bytes(chunk))
      controller.close()
    }
  })

/** What every layer of `ResponseStore` promises. Memory for bodies of up to 1,000 bytes; `large` says if more are kept. */
export const responseStoreContract = (
  name: string,
  layer: Layer.Layer<ResponseStore>,
  { large }: { readonly large: boolean }
): void => {
  const promise = (law: string, run: (store: ResponseStore["Type"]) => Effect.Effect<void>) =>
    it.effect(law, () =>
      TestClock.setTime(1000).pipe(Effect.zipRight(Effect.flatMap(ResponseStore, run)), Effect.provide(layer))
    )

  describe(`ResponseStore: ${name}`, () => {
    promise("gives back what was kept, until it was dropped", (store) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* store.variants(key), [])
        assert.isTrue(Option.isNone(yield* store.body(stored())))
        assert.isTrue(yield* store.keepBody(stored(), bytes("hello")))
        yield* store.keep(key, stored())
        assert.deepStrictEqual(
          (yield* store.variants(key)).map(({ id }) => id),
          ["body-1"]
        )
        assert.strictEqual(yield* read(yield* store.body(stored())), "hello")
        yield* store.drop(key)
        assert.deepStrictEqual(yield* store.variants(key), [])
      })
    )

    promise("what was asked for before a drop is not kept after it; what is asked for later is", (store) =>
      Effect.gen(function* () {
        yield* store.drop(key)
        yield* store.keep(key, stored({ requestTime: 1000 }))
        assert.deepStrictEqual(yield* store.variants(key), [])
        yield* store.keep(key, stored({ requestTime: 1001 }))
        assert.strictEqual((yield* store.variants(key)).length, 1)
      })
    )

    promise("a variant takes the place of its own kind only, the newest first", (store) =>
      Effect.gen(function* () {
        const variant = (id: string, value: string) => stored({ id, vary: ["foo"], selecting: [value] })
        for (const [id, value] of [
          ["1", "a"],
          ["2", "b"],
          ["3", "a"]
        ] as const)
          yield* store.keep(key, variant(id, value))
        assert.deepStrictEqual(
          (yield* store.variants(key)).map(({ id }) => id),
          ["3", "2"]
        )
      })
    )

    promise("a purge ends what was asked for before it, by tag, path or altogether", (store) =>
      Effect.gen(function* () {
        yield* store.keep(key, stored({ tags: ["x"] }))
        yield* Effect.orDie(store.purge({ at: 1000, tags: ["y"], pathPrefixes: ["/b"] }))
        assert.strictEqual((yield* store.variants(key)).length, 1)
        yield* Effect.orDie(store.purge({ at: 1000, tags: ["x"] }))
        assert.strictEqual((yield* store.variants(key)).length, 0)
        yield* store.keep(key, stored({ tags: ["x"], requestTime: 1001 }))
        assert.strictEqual((yield* store.variants(key)).length, 1)
      })
    )

    for (const [what, parts, kept] of [
      ["small", ["he", "llo"], true],
      ["large", ["x".repeat(900), "y".repeat(900)], large],
      ["empty", [], true]
    ] as const) {
      promise(`a ${what} body that is recorded ${kept ? "is kept" : "passes"}, and its client has it whole`, (store) =>
        Effect.gen(function* () {
          const whole = parts.join("")
          const { kept: ended, passing } = yield* store.record(key, stored(), streamOf(...parts))
          assert.strictEqual(yield* Effect.promise(() => new Response(passing).text()), whole)
          yield* ended
          const [found] = yield* store.variants(key)
          assert.strictEqual(found?.size, kept ? whole.length : undefined)
          if (found !== undefined) assert.strictEqual(yield* read(yield* store.body(found)), whole)
        })
      )
    }

    promise("a recorded body of another size than announced is not kept", (store) =>
      Effect.gen(function* () {
        const { kept, passing } = yield* store.record(key, stored(), streamOf("hello"), 6)
        yield* Effect.promise(() => new Response(passing).text().catch(() => ""))
        yield* kept
        assert.deepStrictEqual(yield* store.variants(key), [])
      })
    )
  })
}
