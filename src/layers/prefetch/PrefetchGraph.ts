import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { noPrefetchStats, Prefetch, type PrefetchService } from "../../services/prefetch/Prefetch.ts"
import { Settings } from "../../services/settings/Settings.ts"
import { quarterOf } from "./internal/DayPattern.ts"
import { DependencyGraph, type GraphOptions } from "./internal/DependencyGraph.ts"
import * as PrefetchState from "./internal/prefetchState.ts"

/** The tables are made with the first read that has a session: an isolate that sees none pays for none. */
export const make = (options: GraphOptions): PrefetchService => {
  let graph: DependencyGraph | undefined
  const made = (): DependencyGraph => {
    graph ??= new DependencyGraph(options)
    return graph
  }
  const nothingHeld = () => false
  return {
    enabled: true,
    note: (session, id, now, held) => made().note(session, id, now, held),
    take: (session, held, atLeast = 0) => graph?.take(session, held, atLeast) ?? [],
    carried: (entries, bytes) => made().carried(entries, bytes),
    observe: (session, id, now) => {
      made().note(session, id, now, false)
      return made().take(session, nothingHeld, 0)
    },
    usual: (now) =>
      graph?.day.usual(quarterOf(now)).flatMap((ref) => {
        const node = graph!.nodes.nodeOf(ref)
        return node === -1 ? [] : [graph!.nodes.ids[node]!]
      }) ?? [],
    state: () => graph && PrefetchState.encode(graph),
    restore: (bytes) => PrefetchState.decodeInto(made(), bytes),
    stats: () => graph?.stats() ?? { ...noPrefetchStats, threshold: options.precision }
  }
}

/** Every isolate hashes sessions with a seed of its own. */
export const layer: Layer.Layer<Prefetch, never, Settings> = Layer.effect(
  Prefetch,
  Effect.zipWith(Settings, Random.nextInt, ({ prefetchPrecision }, seed) =>
    make({ precision: prefetchPrecision, seed })
  )
)
