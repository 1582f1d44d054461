import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import type { ShardWrite } from "../../../src/services/durable/Shard.ts"
import type { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import { write } from "../../support/durable/shardImages.ts"

const one: ShardWrite = { id: "default/a", stamp: { wall: 1, counter: 0, writer: "w" }, body: undefined }

/** What every layer of `Outbox` promises. `make` gives an empty one. */
export const contract = (
  layer: string,
  make: () => Context.Tag.Service<Outbox>,
  options: { readonly runs: number }
): void => {
  const params = { fastCheck: { numRuns: options.runs } }

  const allNames = (outbox: Context.Tag.Service<Outbox>) =>
    Effect.gen(function* () {
      const names: Array<string> = []
      let cursor: string | undefined
      do {
        const page = yield* outbox.list(cursor)
        names.push(...page.names)
        cursor = page.cursor
      } while (cursor !== undefined)
      return names
    })

  describe(`${layer} keeps the contract of Outbox:`, () => {
    it.effect.prop(
      "what was parked is listed and read as it was",
      [fc.array(fc.array(write, { maxLength: 4 }), { maxLength: 5 })],
      ([batches]) =>
        Effect.gen(function* () {
          const outbox = make()
          const names = yield* Effect.forEach(batches, (writes, at) => outbox.park(writes, at))
          expect(yield* allNames(outbox)).toEqual(names)
          for (const [at, name] of names.entries()) expect(yield* outbox.read(name)).toStrictEqual(batches[at])
        }),
      params
    )

    it.effect("names come in order of parking, over all pages, and none is given twice", () =>
      Effect.gen(function* () {
        const outbox = make()
        const moments = [9, 10, 99, 1000, 1_700_000_000_000, 1_700_000_000_001]
        const late = Array.from({ length: 1200 }, (_, at) => 1_800_000_000_000 + at)
        const names = yield* Effect.forEach([...late, ...moments.toReversed()], (now) => outbox.park([one], now))
        const byMoment = [...names.slice(late.length).toReversed(), ...names.slice(0, late.length)]
        expect(yield* allNames(outbox)).toEqual(byMoment)
        const twins = yield* Effect.forEach([1, 2, 3], () => outbox.park([one], 5))
        expect(new Set([...names, ...twins]).size).toBe(names.length + 3)
      })
    )

    it.effect("what is parked is gone after 7 days, and not before", () =>
      Effect.gen(function* () {
        const outbox = make()
        const name = yield* outbox.park([one], yield* Clock.currentTimeMillis)
        yield* TestClock.adjust("604799 seconds")
        expect(yield* outbox.read(name)).toEqual([one])
        yield* TestClock.adjust("1 second")
        expect(yield* outbox.read(name)).toBeUndefined()
        expect(yield* allNames(outbox)).toEqual([])
      })
    )

    it.effect("a name never parked holds nothing", () =>
      Effect.gen(function* () {
        expect(yield* make().read("000000000000001-x")).toBeUndefined()
      })
    )
  })
}
