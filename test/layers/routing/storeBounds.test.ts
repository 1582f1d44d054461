import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import { Kv, propagationMillis } from "../../../src/services/kv/Kv.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { boundsContract } from "../../contracts/store/storeBounds.ts"
import { text } from "../../support/store/lookups.ts"
import { virtually } from "../../support/virtually.ts"
import { durableMode, kvMode, kvModeBatching } from "../../support/worlds.ts"

boundsContract("StoreKv", (settings) => kvMode({ settings }), propagationMillis)
boundsContract("StoreDurable", (settings) => durableMode({ settings }), 0)

const notes = define("notes", { jitter: 0, memoryTtl: "60 seconds", ttl: "1 hour" })
const bytes = (value: string) => new TextEncoder().encode(value)

describe("a write to KV that was not answered in time", () => {
  for (const [name, mode] of [
    ["StoreKv", kvMode],
    ["StoreKv with the batcher", kvModeBatching]
  ] as const) {
    for (const applied of [true, false]) {
      it.effect(`fails, and the next read asks KV which of the two it is (${name}, applied: ${applied})`, () => {
        let stuck = false
        const faulty = KvFaulty.make(KvMemory.make(), (operation) =>
          stuck && (operation === "put" || operation === "delete") ? { kind: "hang", applied } : undefined
        )
        return virtually(
          Effect.gen(function* () {
            const store = yield* Store
            const ledger = yield* Ledger
            for (const change of ["set", "delete"] as const) {
              stuck = false
              yield* store.set(notes, change, bytes("before"))
              assert.strictEqual(text(yield* store.get(notes, change)), "before")
              stuck = true
              const effect: Effect.Effect<unknown, { readonly reason: string }> =
                change === "set" ? store.set(notes, change, bytes("after")) : store.delete(notes, change)
              const failing = yield* Effect.fork(Effect.flip(effect))
              yield* TestClock.adjust("30 seconds")
              assert.strictEqual((yield* failing).reason, "Unavailable")
              const { reads } = ledger.report().total.kv
              const expected = !applied ? "before" : change === "set" ? "after" : undefined
              assert.strictEqual(text(yield* store.get(notes, change)), expected)
              assert.strictEqual(ledger.report().total.kv.reads, reads + 1)
            }
          }).pipe(Effect.provide(mode({ kv: Layer.succeed(Kv, faulty) })))
        )
      })
    }
  }
})
