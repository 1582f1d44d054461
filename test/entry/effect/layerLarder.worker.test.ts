import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Larder from "../../../src/entry/effect/layerLarder.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { readThrough } from "../../../src/programs/repository/readThrough.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import * as TypedCollection from "../../../src/services/repository/model/TypedCollection.ts"

const users = TypedCollection.make({
  name: "stack-users",
  key: Schema.NonEmptyString,
  value: Schema.Struct({ name: Schema.String }),
  policy: { ttl: "5 minutes" }
})

describe("the default stack in one line", () => {
  const story = (layer: Layer.Layer<Larder.Services>, key: string) =>
    Effect.gen(function* () {
      let loads = 0
      const load = Effect.sync(() => Option.some({ name: `n${++loads}` }))
      for (let i = 0; i < 5; i++) expect(yield* readThrough(users, key, load)).toEqual(Option.some({ name: "n1" }))
      return (yield* Ledger).report().total
    }).pipe((effect) => {
      const context = createExecutionContext()
      return ManagedRuntime.make(layer)
        .runPromise(Effect.provide(effect, Larder.background(context)))
        .finally(() => waitOnExecutionContext(context))
    })

  it("reads through memory, edge and KV, and counts", async () => {
    const bindings = { CACHE_KV: (env as { CACHE_KV: KVNamespace }).CACHE_KV, EDGE_TIER: "off" }
    const total = await story(Larder.layer(bindings, { collections: [users.collection] }), "a")
    expect(total.kv.reads).toBe(1)
    expect(total.logical.reads).toBe(5)
  })

  it("has parts that can be replaced", async () => {
    const kv = KvMemory.layer
    const total = await story(Larder.layer({} as Larder.LarderEnv, { collections: [users.collection], kv }), "b")
    expect(total.kv.reads).toBe(0)
  })
})
