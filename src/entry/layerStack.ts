import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * Layers one upon the other, as `Layer.provideMerge` again and again would have it: each sees the services of all beneath,
 * and replaces what it gives itself. Built in one pass: an isolate's first request waits for it, and a `provideMerge` asks
 * the memo map five times for every layer.
 */
export class LayerStack<Out, E = never, In = never> {
  readonly #layers: ReadonlyArray<Layer.Layer<never, unknown, never>>

  private constructor(layers: ReadonlyArray<Layer.Layer<never, unknown, never>>) {
    this.#layers = layers
  }

  static of<Out, E, In>(layer: Layer.Layer<Out, E, In>): LayerStack<Out, E, In> {
    return new LayerStack<never>([]).on(layer)
  }

  on<A, E2, R>(layer: Layer.Layer<A, E2, R>): LayerStack<Out | A, E | E2, In | Exclude<R, Out>> {
    return new LayerStack([...this.#layers, layer as unknown as Layer.Layer<never, unknown, never>])
  }

  /** All services of the stack. */
  get layer(): Layer.Layer<Out, E, In> {
    const layers = this.#layers
    const build = Effect.gen(function* () {
      const scope = yield* Effect.scope
      const memo = yield* Layer.makeMemoMap
      const around = yield* Effect.context<never>()
      let built = Context.empty() as Context.Context<never>
      for (const layer of layers) {
        const own = Effect.provide(Layer.buildWithMemoMap(layer, memo, scope), Context.merge(around, built))
        built = Context.merge(built, yield* own)
      }
      return built
    })
    return Layer.scopedContext(build) as unknown as Layer.Layer<Out, E, In>
  }
}
