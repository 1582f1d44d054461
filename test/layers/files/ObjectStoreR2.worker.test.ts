import { env } from "cloudflare:test"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { describe, expect, it } from "vitest"
import * as CompressionZlib from "../../../src/layers/compression/CompressionZlib.ts"
import { indexShelf } from "../../../src/layers/files/internal/indexShelf.ts"
import { KnownObjects } from "../../../src/layers/files/internal/KnownObjects.ts"
import { metered } from "../../../src/layers/files/internal/meteredBucket.ts"
import * as ObjectStoreR2 from "../../../src/layers/files/ObjectStoreR2.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import { resolveRange } from "../../../src/services/files/model/ByteRange.ts"
import { objectStoreContract } from "../../contracts/files/ObjectStore.ts"
import objects from "../../fixtures/files/objects-1.json?raw"

const { FILES } = env as unknown as { readonly FILES: R2Bucket }

objectStoreContract("R2", () => ObjectStoreR2.make(FILES, CompressionZlib.make()))

describe("ranges of a compressed object", () => {
  /** A store of an isolate of its own, and the class B operations that it asked for. */
  const isolate = (known = new KnownObjects()) => {
    const ledger = LedgerMemory.make(0)
    const operations = () => ledger.report().total.other?.r2ClassB ?? 0
    return { store: ObjectStoreR2.make(metered(FILES, ledger), CompressionZlib.make(), known), operations }
  }
  /** One that comes after another in the same location. */
  const restarted = () => isolate(new KnownObjects(indexShelf(() => caches.default)))
  /** Digits that compress to little more than half. */
  const content = (bytes: number, seed: number) => {
    const digits = new Uint8Array(bytes)
    for (let at = 0, state = seed; at < bytes; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      digits[at] = "0123456789abcdef".charCodeAt(state >>> 28)
    }
    return digits
  }
  const read = (store: ReturnType<typeof isolate>["store"], key: string, first: number, last: number, size: number) =>
    Effect.runPromise(
      Effect.gen(function* () {
        const range = { first, last }
        const opened = Option.getOrThrow(yield* store.open(key, range))
        const slice = resolveRange(range, size)
        const stream = yield* opened.read("identity", slice as { offset: number; length: number })
        return new Uint8Array(yield* Effect.promise(() => new Response(stream).arrayBuffer()))
      })
    )

  it.each([
    ["with its index in the metadata", 1_000_000],
    ["with its index beside it", 16_000_000]
  ])("cost one operation each once the isolate knows the object, %s", async (_, bytes) => {
    const writer = isolate()
    const key = crypto.randomUUID()
    const [one, two] = [content(bytes, 7919), content(bytes, 104_729)]
    const put = (body: Uint8Array) =>
      Effect.runPromise(
        writer.store.put(key, new Response(body as Uint8Array<ArrayBuffer>).body!, {
          contentType: "text/csv",
          length: body.byteLength,
          limit: body.byteLength
        })
      )
    const info = await put(one)
    expect(info.coding).toBe("gzip")
    expect(info.storedBytes > 8 * 1024 * 1024).toBe(bytes > 1_000_000)
    const { operations, store } = restarted()
    const from = one.byteLength - 5000
    expect(await read(store, key, from, from + 999, one.byteLength)).toStrictEqual(one.slice(from, from + 1000))
    expect(operations()).toBeLessThanOrEqual(4)
    const before = operations()
    for (const at of [0, 131_070, from]) {
      expect(await read(store, key, at, at + 999, one.byteLength)).toStrictEqual(one.slice(at, at + 1000))
    }
    expect(operations() - before).toBe(3)
    for (const at of [from, 0, 131_070]) {
      const next = restarted()
      expect(await read(next.store, key, at, at + 999, one.byteLength)).toStrictEqual(one.slice(at, at + 1000))
      expect(next.operations()).toBe(1)
    }
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await put(two)
    for (const { store: held } of [{ store }, restarted()]) {
      expect(await read(held, key, from, from + 99, two.byteLength)).toStrictEqual(two.slice(from, from + 100))
    }
    await Effect.runPromise(writer.store.delete([key]))
    expect(Option.isNone(await Effect.runPromise(store.open(key, { first: 0, last: 9 })))).toBe(true)
  })
})

describe("objects as they were stored", () => {
  it("are read: one that is compressed, with its index in the metadata, and one that is not", async () => {
    const kept = JSON.parse(objects) as { [name: string]: R2PutOptions & { readonly value: string } }
    const front = crypto.randomUUID()
    for (const [name, { value, ...options }] of Object.entries(kept)) {
      const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0))
      await FILES.put(name.replace("data/", `data/${front}/`), bytes, options)
    }
    const store = ObjectStoreR2.make(FILES, CompressionZlib.make())
    const table = Array.from({ length: 400 }, (_, i) => `${i},${(i * 7919) % 101}\n`).join("")
    for (const [key, text, coding, contentType] of [
      ["table.csv", table, "gzip", "text/csv"],
      ["plain.bin", "plain", "identity", "application/octet-stream"]
    ] as const) {
      const opened = Option.getOrThrow(await Effect.runPromise(store.open(`${front}/${key}`)))
      expect(opened.info).toMatchObject({ bytes: text.length, coding, contentType, metadata: { title: "a table" } })
      const whole = await Effect.runPromise(opened.read("identity", { offset: 0, length: text.length }))
      expect(await new Response(whole).text()).toBe(text)
      const part = await Effect.runPromise(opened.read("identity", { offset: 2, length: 3 }))
      expect(await new Response(part).text()).toBe(text.slice(2, 5))
    }
  })
})
