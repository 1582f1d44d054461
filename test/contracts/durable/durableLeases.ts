import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type DurableCache, entriesOf, type Leased } from "../../../src/services/durable/DurableCache.ts"
import type { Stamp } from "../../../src/services/store/model/Entry.ts"
import { remove, write } from "../../support/durable/shardWrite.ts"

const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value)
const stamp = (wall: number): Stamp => ({ wall, counter: 0, writer: "test" })
const ids = (count: number) => Array.from({ length: count }, (_, i) => `things/${i}`)
const patience = Duration.seconds(20)

const granted = (leased: Leased): number => {
  assert.strictEqual(leased._tag, "Granted")
  return leased._tag === "Granted" ? leased.lease : 0
}

const outcomes = (results: ReadonlyArray<object>) =>
  results.map((result) => ("outcome" in result ? result.outcome : result))

/** What every layer of DurableCache promises those who miss at once. Runs on the clock of the machine. */
export const leases = (make: (shards: number) => { readonly cache: DurableCache["Type"] }): void => {
  describe("leases:", () => {
    it.live("of 32 who miss at once one loads, and the others find its fill", () =>
      Effect.gen(function* () {
        const { cache } = make(2)
        const ask = Effect.gen(function* () {
          const leased = yield* cache.lease("a/b", patience)
          if (leased._tag === "Granted") yield* cache.apply([write("a/b", { lease: leased.lease, value: "filled" })])
          return leased._tag === "Found" ? text(leased.entry.value) : leased._tag
        })
        const answers = yield* Effect.all(Array<typeof ask>(32).fill(ask), { concurrency: "unbounded" })
        assert.deepStrictEqual(answers.toSorted(), ["Granted", ...Array<string>(31).fill("filled")])
      })
    )

    it.live("what is there already is found, and what was deleted or has expired is not", () =>
      Effect.gen(function* () {
        const { cache } = make(1)
        yield* cache.apply([write("there"), write("deleted"), write("expired", { expiresAt: 1 })])
        yield* cache.apply([remove("deleted")])
        assert.strictEqual((yield* cache.lease("there", patience))._tag, "Found")
        assert.strictEqual((yield* cache.lease("deleted", patience))._tag, "Granted")
        assert.strictEqual((yield* cache.lease("expired", patience))._tag, "Granted")
      })
    )

    it.live("leases of different ids do not wait for each other", () =>
      Effect.gen(function* () {
        const { cache } = make(1)
        for (const id of ids(5)) granted(yield* cache.lease(id, patience))
      })
    )

    it.live("a lease given back goes to the next, one after the other", () =>
      Effect.gen(function* () {
        const { cache } = make(1)
        const ask = Effect.gen(function* () {
          const lease = granted(yield* cache.lease("a/b", patience))
          yield* cache.release("a/b", lease)
          return lease
        })
        const leases = yield* Effect.all(Array<typeof ask>(8).fill(ask), { concurrency: "unbounded" })
        assert.strictEqual(new Set(leases).size, 8)
      })
    )

    it.live("giving back a lease that has ended takes none from its successor", () =>
      Effect.gen(function* () {
        const { cache } = make(1)
        const first = granted(yield* cache.lease("a/b", patience))
        yield* cache.release("a/b", first)
        const second = granted(yield* cache.lease("a/b", patience))
        yield* cache.release("a/b", first)
        assert.strictEqual((yield* cache.lease("a/b", Duration.millis(30)))._tag, "Busy")
        assert.deepStrictEqual(outcomes(yield* cache.apply([write("a/b", { lease: second })])), ["applied"])
      })
    )

    it.live("a put answers those who wait, and overtakes the fill", () =>
      Effect.gen(function* () {
        const { cache } = make(1)
        const lease = granted(yield* cache.lease("a/b", patience))
        const waiter = yield* Effect.fork(cache.lease("a/b", patience))
        yield* cache.apply([write("a/b", { value: "put" })])
        const leased = yield* Fiber.join(waiter)
        assert.strictEqual(leased._tag === "Found" && text(leased.entry.value), "put")
        assert.deepStrictEqual(outcomes(yield* cache.apply([write("a/b", { value: "fill", wall: 9, lease })])), [
          "overtaken"
        ])
        assert.strictEqual(text((yield* entriesOf(cache, ["a/b"]))[0]?.value), "put")
      })
    )

    const ending: ReadonlyArray<readonly [string, (cache: DurableCache["Type"]) => Effect.Effect<unknown, unknown>]> = [
      ["a delete", (cache) => cache.apply([remove("a/b")])],
      ["an invalidation", (cache) => cache.invalidateTags(["any"], stamp(3))],
      ["a clear", (cache) => cache.clear("a/", stamp(3))]
    ]
    for (const [what, end] of ending) {
      it.live(`${what} hands the lease to the next, and overtakes the fill`, () =>
        Effect.gen(function* () {
          const { cache } = make(1)
          const lease = granted(yield* cache.lease("a/b", patience))
          const waiter = yield* Effect.fork(cache.lease("a/b", patience))
          yield* end(cache)
          const next = granted(yield* Fiber.join(waiter))
          assert.deepStrictEqual(outcomes(yield* cache.apply([write("a/b", { lease })])), ["overtaken"])
          assert.deepStrictEqual(outcomes(yield* cache.apply([write("a/b", { lease: next })])), ["applied"])
        })
      )
    }

    it.live("patience ends before the load does: busy", () =>
      Effect.gen(function* () {
        const { cache } = make(1)
        granted(yield* cache.lease("a/b", patience))
        assert.strictEqual((yield* cache.lease("a/b", Duration.millis(30)))._tag, "Busy")
      })
    )

    it.live("a holder who never comes back loses the lease to one who waits", () =>
      Effect.gen(function* () {
        const { cache } = make(1)
        const lost = granted(yield* cache.lease("a/b", Duration.millis(30)))
        const lease = granted(yield* cache.lease("a/b", patience))
        assert.deepStrictEqual(outcomes(yield* cache.apply([write("a/b", { lease: lost })])), ["overtaken"])
        assert.deepStrictEqual(outcomes(yield* cache.apply([write("a/b", { lease })])), ["applied"])
      })
    )
  })
}
