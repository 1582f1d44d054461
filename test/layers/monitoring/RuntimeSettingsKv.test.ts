import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as RuntimeSettingsKv from "../../../src/layers/monitoring/RuntimeSettingsKv.ts"
import * as EdgeCacheOff from "../../../src/layers/tiers/EdgeCacheOff.ts"
import { runtimeSettingsKey } from "../../../src/services/kv/model/PhysicalKey.ts"
import { EdgeCache } from "../../../src/services/tiers/EdgeCache.ts"

it.effect.each(["", "{", "null", "[]", '{"version":"1"}', '{"version":1,"overrides":null,"history":[]}'])(
  "settings that cannot be read (%s) are told as an error, leave the deployed ones in force, and the next change counts",
  (damaged) =>
    Effect.gen(function* () {
      const kv = KvMemory.make()
      yield* kv.put(runtimeSettingsKey, new TextEncoder().encode(damaged))
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel }) => void logged.push(logLevel.label))
      const quietly = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.provide(effect, Logger.replace(Logger.defaultLogger, logger))
      const settings = RuntimeSettingsKv.make(kv, yield* Effect.provide(EdgeCache, EdgeCacheOff.layer), () => {})
      expect((yield* quietly(settings.read)).overrides).toStrictEqual({})
      expect(logged).toStrictEqual(["ERROR"])
      expect(yield* kv.get(runtimeSettingsKey)).toMatchObject({ value: { value: new TextEncoder().encode(damaged) } })
      yield* quietly(settings.change({ values: { MEMORY_TIER: "off" }, by: "admin" }))
      expect((yield* settings.read).overrides.MEMORY_TIER?.value).toBe("off")
    })
)
