import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { config } from "../../src/layers/SettingsConfig.ts"
import { defaults } from "../../src/services/Settings.ts"

const read = (variables: Record<string, string>) =>
  Effect.withConfigProvider(config, ConfigProvider.fromMap(new Map(Object.entries(variables))))

describe("settings", () => {
  it.effect("have a default each", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), defaults)
    })
  )

  it.effect("are read from variables", () =>
    Effect.gen(function* () {
      const settings = yield* read({
        MEMORY_BYTES: "2000000",
        EDGE_DEADLINE: "20 millis",
        EDGE_TIER: "false",
        COLLECTIONS:
          '{"quotes": {"ttl": 300, "staleFor": 30}, "pages": {"ttl": "forever"}, "default": {"memoryTtl": 5}}'
      })
      assert.strictEqual(settings.memoryBytes, 2_000_000)
      assert.strictEqual(Duration.toMillis(settings.edgeDeadline), 20)
      assert.isFalse(settings.edgeTier)
      assert.deepStrictEqual([...settings.collections.keys()].sort(), ["default", "pages", "quotes"])
      assert.strictEqual(settings.collections.get("quotes")?.millis.ttl, 300_000)
      assert.strictEqual(settings.collections.get("pages")?.millis.ttl, Number.POSITIVE_INFINITY)
      assert.strictEqual(settings.collections.get("default")?.millis.memoryTtl, 5000)
    })
  )

  for (const [name, value] of [
    ["MEMORY_BYTES", "12"],
    ["MEMORY_BYTES", "many"],
    ["EDGE_DEADLINE", "-5 millis"],
    ["EDGE_DEADLINE", "soon"],
    ["BREAKER_THRESHOLD", "0"],
    ["CLEAR_KEYS", "1.5"],
    ["COLLECTIONS", "{"],
    ["COLLECTIONS", '{"batch": {}}'],
    ["COLLECTIONS", '{"Quotes": {}}'],
    ["COLLECTIONS", '{"quotes": {"ttl": -1}}'],
    ["COLLECTIONS", '{"quotes": {"tll": 1}}'],
    ["COLLECTIONS", '{"quotes": {"jitter": 1}}']
  ] as const) {
    it.effect(`refuse ${name}=${value}, naming the variable`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(read({ [name]: value }))
        assert.include(String(error), name)
      })
    )
  }
})
