import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as StoreKv from "../../../src/layers/routing/StoreKv.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store, type StoreError } from "../../../src/services/store/Store.ts"
import { storeContract } from "../../contracts/store/Store.ts"
import { kvMode, kvModeBatching, world } from "../../support/worlds.ts"

storeContract("StoreKv of packed collections", kvMode, { packed: true })
storeContract("StoreKv of packed collections that memory does not hold", kvModeBatching, { packed: true, memoryTtl: 0 })

describe("StoreKv without pages", () => {
  it.effect("keeps what is not packed, and is a defect where something is", () =>
    Effect.gen(function* () {
      const store = yield* Store
      yield* store.set(define("plain"), "a", new Uint8Array([1]))
      assert.deepStrictEqual((yield* store.get(define("plain"), "a")).entry?.value, new Uint8Array([1]))
      const packed = define("notes", { packed: true })
      const wrongs: ReadonlyArray<Effect.Effect<unknown, StoreError>> = [
        store.get(packed, "a"),
        store.set(packed, "a", new Uint8Array([1])),
        store.list(packed, {}),
        store.clear(packed)
      ]
      for (const wrong of wrongs) {
        const exit = yield* Effect.exit(wrong)
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.include(String(exit), "only StoreKvPacked keeps entries in pages")
      }
    }).pipe(Effect.provide(Layer.provideMerge(StoreKv.layer, world())))
  )
})
