import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { kvMode } from "../../support/worlds.ts"

const states = define("states", { jitter: 0, memoryTtl: 0, edgeTtl: 0, packed: true })
const value = new TextEncoder().encode("1")
const keys = ["a", "b", "c"]

const damages: { readonly [what: string]: (page: Uint8Array) => Uint8Array } = {
  "cut short": (page) => page.subarray(0, page.byteLength - 1),
  "changed in one byte": (page) => page.map((byte, at) => (at === page.byteLength - 1 ? byte ^ 1 : byte)),
  empty: () => new Uint8Array(0),
  "foreign text": () => new TextEncoder().encode("hello"),
  "of a later version": (page) => page.map((byte, at) => (at === 8 ? byte + 1 : byte))
}

describe("a page of a packed collection that cannot be read", () => {
  it.effect.each(Object.keys(damages))("is never taken for empty nor replaced: %s", (what) => {
    const kv = KvMemory.make()
    const isolate = kvMode({ kv: Layer.succeed(Kv, kv) })
    const kept = Effect.flatMap(kv.list(), ({ keys }) =>
      Effect.forEach(keys, ({ name }) =>
        Effect.map(kv.get(name), (found) => [name, [...Option.getOrThrow(found).value]] as const)
      )
    )
    return Effect.gen(function* () {
      yield* Effect.flatMap(Store, (store) =>
        store.writeMany(
          states,
          keys.map((key) => ({ key, value }))
        )
      ).pipe(Effect.provide(isolate))
      for (const [name, bytes] of yield* kept) yield* kv.put(name, damages[what]!(Uint8Array.from(bytes)))
      const before = yield* kept
      yield* Effect.gen(function* () {
        const store = yield* Store
        for (const result of yield* store.getMany(states, keys)) assert.strictEqual(result._tag, "Failed")
        assert.strictEqual((yield* Effect.flip(store.get(states, "a"))).reason, "Unavailable")
        const changes = [
          { key: "a", value: new TextEncoder().encode("2") },
          { key: "b", remove: true as const }
        ]
        for (const result of yield* store.writeMany(states, changes)) assert.strictEqual(result._tag, "Failed")
        assert.strictEqual((yield* Effect.flip(store.list(states, {}))).reason, "Unavailable")
      }).pipe(Effect.provide(isolate))
      assert.deepStrictEqual(yield* kept, before)
    })
  })
})
