import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import { LayerStack } from "../../src/entry/layerStack.ts"

class Word extends Context.Tag("Word")<Word, string>() {}
class Length extends Context.Tag("Length")<Length, number>() {}

it.effect(
  "gives what provideMerge would: the services beneath, those that replaced them, fiber references, one scope",
  () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const level = FiberRef.unsafeMake("outside")
      const word = (text: string) =>
        Layer.scoped(
          Word,
          Effect.acquireRelease(Effect.succeed(text), () => Effect.sync(() => ended.push(text)))
        )
      const shouted = Layer.effect(
        Word,
        Effect.map(Word, (word) => word.toUpperCase())
      )
      const length = Layer.effect(
        Length,
        Effect.map(Word, (word) => word.length)
      )
      const within = Layer.scopedDiscard(Effect.locallyScoped(level, "within"))
      const stacked = LayerStack.of(word("kept")).on(within).on(length).on(shouted).layer
      const merged = shouted.pipe(
        Layer.provideMerge(length),
        Layer.provideMerge(within),
        Layer.provideMerge(word("kept"))
      )
      const told = Effect.all([Word, Length, FiberRef.get(level)])
      assert.deepStrictEqual(yield* Effect.provide(told, stacked), ["KEPT", 4, "within"])
      assert.deepStrictEqual(yield* Effect.provide(told, merged), ["KEPT", 4, "within"])
      assert.deepStrictEqual(ended, ["kept", "kept"])
    })
)
