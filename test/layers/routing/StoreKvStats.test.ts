import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { kvMode } from "../../support/worlds.ts"

const notes = define("notes", { packed: true })

describe("the figures of StoreKv", () => {
  it.effect("tell the writes that were left out, and what each packed collection's pages took", () =>
    Effect.gen(function* () {
      const store = yield* Store
      for (const text of ["one", "one", "two"]) yield* store.set(notes, "a", new TextEncoder().encode(text))
      yield* store.set(notes, "large", new Uint8Array(100_000))
      const { pages, unchangedWrites } = store.stats!()
      assert.strictEqual(unchangedWrites, 1)
      assert.deepInclude(pages?.notes, { writes: 3, rows: 3, splits: 0, healed: 0, extracted: 1 })
    }).pipe(Effect.provide(kvMode()))
  )
})
