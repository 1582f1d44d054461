import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SettingsConfig from "../../../src/layers/settings/SettingsConfig.ts"
import { deskCollections } from "../../../src/services/desk/model/DeskCollections.ts"
import { defaultsOf } from "../../../src/services/settings/model/Setting.ts"
import { declared as settings, valuesOf } from "../../../src/services/settings/Settings.ts"

const defaults = valuesOf(defaultsOf(settings), deskCollections)

const read = (variables: Record<string, string>) =>
  SettingsConfig.config(new Map(Object.entries(variables)), deskCollections)

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
        BUDGET_WRITES: "1000",
        BUDGET_DELETES: "0",
        COLLECTIONS:
          '{"quotes": {"ttl": 300, "staleFor": 30}, "pages": {"ttl": "forever"}, "default": {"memoryTtl": 5}}'
      })
      assert.strictEqual(settings.memoryBytes, 2_000_000)
      assert.strictEqual(Duration.toMillis(settings.edgeDeadline), 20)
      assert.isFalse(settings.edgeTier)
      assert.deepStrictEqual(settings.budget, { writes: 1000, deletes: 0 })
      const declared = ["default", "pages", "quotes"]
      assert.deepStrictEqual(
        new Set(settings.collections.keys()),
        new Set([...defaults.collections.keys(), ...declared])
      )
      assert.strictEqual(settings.collections.get("quotes")?.millis.ttl, 300_000)
      assert.strictEqual(settings.collections.get("quotes")?.application?.route, "/api/v1/quotes")
      assert.strictEqual(settings.collections.get("pages")?.millis.ttl, Number.POSITIVE_INFINITY)
      assert.strictEqual(settings.collections.get("default")?.millis.memoryTtl, 5000)
    })
  )

  it.effect("change the policy of a built-in collection in what they say, and take none away", () =>
    Effect.gen(function* () {
      const { collections } = yield* read({ COLLECTIONS: '{"alert-states": {"ttl": 86400}}' })
      assert.deepStrictEqual(new Set(collections.keys()), new Set(defaults.collections.keys()))
      const states = collections.get("alert-states")
      assert.strictEqual(states?.millis.ttl, 86_400_000)
      assert.strictEqual(states?.millis.memoryTtl, 0)
      assert.isTrue(states?.policy.packed)
    })
  )

  for (const [name, value] of [
    ["MEMORY_BYTES", "12"],
    ["MEMORY_BYTES", "many"],
    ["EDGE_DEADLINE", "-5 millis"],
    ["EDGE_DEADLINE", "soon"],
    ["BREAKER_THRESHOLD", "0"],
    ["CLEAR_KEYS", "1.5"],
    ["BUDGET_WRITES", "-1"],
    ["BUDGET_LISTS", "some"],
    ["KEY_ALIAS", "perhaps"],
    ["COLLECTIONS", '{"quotes": {"alias": [{"rule": "case", "to": "title"}]}}'],
    ["COLLECTIONS", '{"quotes": {"alias": [{"rule": "order"}, {"rule": "order"}]}}'],
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
