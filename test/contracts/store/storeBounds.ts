import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import type { SettingsValues } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

const seconds = fc.nat(600).map((number) => Duration.seconds(number))
const policy = fc.record({ memoryTtl: seconds, edgeTtl: seconds, staleFor: seconds })

/**
 * What an invalidation says of itself. `propagationMillis`: how much longer than by the tiers' own ages the store of
 * record may show what was there before.
 */
export const boundsContract = (
  name: string,
  layer: (settings: Partial<SettingsValues>) => Layer.Layer<Store>,
  propagationMillis: number
): void => {
  describe(`Store: ${name}`, () => {
    it.effect.prop(
      "an invalidation reports the longest that any collection lets a tier answer with what it holds",
      [fc.array(policy, { minLength: 1, maxLength: 5 })],
      ([policies]) =>
        virtually(
          Effect.gen(function* () {
            const collections = new Map(policies.map((one, at) => [`c${at}`, define(`c${at}`, one)]))
            const { boundMillis } = yield* Effect.flatMap(Store, (store) => store.invalidateTags(["t"])).pipe(
              Effect.provide(layer({ collections }))
            )
            const ages = [...collections.values()].map(
              ({ millis }) => Math.max(millis.memoryTtl, millis.edgeTtl) + millis.staleFor
            )
            assert.strictEqual(boundMillis, Math.max(...ages) + propagationMillis)
          })
        ),
      { fastCheck: { numRuns: runs(40) } }
    )
  })
}
