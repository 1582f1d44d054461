import { expect, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { getMany, type Kv, limits } from "../../../src/services/kv/Kv.ts"
import { runs } from "../../support/runs.ts"
import { sizesAround } from "../../support/sizes.ts"

it.effect.prop(
  "getMany asks for every key once, in as few calls as 100 keys a call allow",
  [sizesAround(limits.bulkKeys, 3.5)],
  ([count]) =>
    Effect.gen(function* () {
      const calls: Array<ReadonlyArray<string>> = []
      const entry = { value: Uint8Array.of(1), metadata: null }
      const kv = {
        get: (key: string) =>
          Effect.sync(() => {
            calls.push([key])
            return Option.some(entry)
          }),
        getBulk: (keys: ReadonlyArray<string>) =>
          Effect.sync(() => {
            calls.push(keys)
            return new Map(keys.map((key) => [key, entry]))
          })
      } as unknown as Context.Tag.Service<Kv>
      const keys = Array.from({ length: count }, (_, at) => `k${at}`)
      const found = yield* getMany(kv, keys)
      expect([...found.keys()].sort()).toStrictEqual([...keys].sort())
      expect(calls.length).toBe(Math.ceil(count / limits.bulkKeys))
      expect(calls.flat().sort()).toStrictEqual([...keys].sort())
      for (const call of calls) expect(call.length).toBeLessThanOrEqual(limits.bulkKeys)
    }),
  { fastCheck: { numRuns: runs(60) } }
)
