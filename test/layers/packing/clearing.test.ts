import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as KvWithinInvocation from "../../../src/layers/kv/KvWithinInvocation.ts"
import { makePackedEntries } from "../../../src/layers/routing/packedEntries.ts"
import { Background } from "../../../src/services/base/Background.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { addressOf } from "../../../src/services/tiers/ReadPath.ts"
import { runs, seedOr } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

const notes = define("notes", { packed: true })

describe("a clear of a packed collection of many pages", () => {
  it.effect.prop(
    "stays within an invocation's operations, goes on with the next, and leaves nothing, whatever is written meanwhile",
    [
      fc.record({
        entries: fc.integer({ min: 1, max: 600 }),
        large: fc.nat(3),
        operations: fc.constantFrom(20, 50, 1000),
        meanwhile: fc.boolean()
      })
    ],
    ([{ entries, large, meanwhile, operations }]) =>
      virtually(
        Effect.gen(function* () {
          const kv = KvMemory.make()
          const settings = { ...defaults, kvOperations: operations }
          const make = () => makePackedEntries(KvWithinInvocation.make(kv, operations), settings, undefined, 1000)
          const invocation = <A, E>(effect: Effect.Effect<A, E>) =>
            Effect.flatMap(
              Effect.sync(() => ({ kv: 0, edge: 0 })),
              (spent) =>
                Effect.tap(
                  Effect.provideService(effect, Background, {
                    run: (work) => Effect.asVoid(Effect.exit(work)),
                    promise: () => undefined,
                    spent
                  }),
                  () => Effect.sync(() => assert.isAtMost(spent.kv, operations))
                )
            )
          let counter = 0
          const written = (key: string, bytes: number) => {
            const stamp = { wall: 1, counter: counter++, writer: "w" }
            const entry = {
              value: new Uint8Array(bytes),
              contentType: "",
              tags: [],
              stamp,
              expiresAt: Number.POSITIVE_INFINITY,
              loadMillis: 0
            }
            return { address: addressOf(notes, key), entry, stamp }
          }
          const keys = Array.from({ length: entries }, (_, at) => `k${String(at).padStart(4, "0")}`)
          // Without an invocation, so that nothing is limited.
          const writes = keys.map((key, at) => written(key, at < large ? 70_000 : 20))
          for (const error of yield* makePackedEntries(kv, defaults, undefined, 1000).writeMany(writes, 1)) {
            assert.isUndefined(error)
          }
          yield* TestClock.adjust("2 hours")
          const [clearing, other] = [make(), make()]
          let deleted = 0
          let calls = 0
          for (let complete = false; !complete; calls++) {
            assert.isBelow(calls, 400)
            const done = yield* invocation(clearing.clear(notes))
            deleted += done.deleted
            complete = done.complete
            yield* TestClock.adjust("2 seconds")
            if (meanwhile && calls === 0 && !complete) {
              const [error] = yield* invocation(other.writeMany([written("k0000", 20)], 1))
              assert.isUndefined(error)
              const { observations } = yield* invocation(make().readMany([addressOf(notes, "k0000")]))
              assert.isDefined(observations[0]!.entry)
            }
          }
          assert.isAtLeast(deleted, entries)
          assert.lengthOf((yield* kv.list()).keys, 0)
          for (const isolate of [clearing, make()]) {
            const { observations } = yield* isolate.readMany([addressOf(notes, keys[0]!)])
            assert.isUndefined(observations[0]!.entry)
          }
        })
      ),
    { fastCheck: { numRuns: runs(60), seed: seedOr(1) } }
  )
})
