import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { makeSteps } from "../../../src/layers/durable/internal/reshardSteps.ts"
import type { ShardCall } from "../../../src/layers/durable/object/shardHandoff.ts"
import { recordRpc } from "../../../src/layers/durable/object/shardProtocol.ts"
import * as RecordedTopologyKv from "../../../src/layers/durable/RecordedTopologyKv.ts"
import { reshardDurable } from "../../../src/programs/durable/reshardDurable.ts"
import type { Topology } from "../../../src/services/durable/model/Topology.ts"
import { RecordedTopology } from "../../../src/services/durable/RecordedTopology.ts"
import { Resharding } from "../../../src/services/durable/Resharding.ts"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import type { DurableTrace } from "./durableTrace.ts"

/** The operator who changes the number of objects: what was begun is done before anything else is. */
export const makeReshard = (
  call: ShardCall,
  first: Topology,
  kv: Kv["Type"],
  ledger: Ledger["Type"],
  { count }: Pick<DurableTrace, "count">
) => {
  const counted: ShardCall = (object, method, ...args) =>
    Effect.tap(call(object, method, ...args), ({ billed }) => Effect.sync(() => recordRpc(ledger, billed)))
  const steps = makeSteps(counted, first)
  const recorded = RecordedTopologyKv.make(kv)
  /** The number that was asked for last, until that is done. */
  let target: number | undefined

  const reshard = (shards: number, operations: number) =>
    Effect.suspend(() => {
      target ??= shards
      const asked = target
      return Effect.tap(reshardDurable({ shards: asked, dryRun: false, operations }), ({ complete }) =>
        Effect.sync(() => {
          count(`reshards ${complete ? "complete" : "in part"}`)
          // One that had nothing to do may end after another has begun.
          if (complete && asked === target) target = undefined
        })
      )
    }).pipe(
      Effect.provideService(Resharding, steps),
      Effect.provideService(RecordedTopology, recorded),
      Effect.provideService(Ledger, ledger),
      Effect.timeout("40 seconds")
    )

  return {
    reshard,
    /** Until what was begun is done. */
    endReshard: Effect.suspend(() =>
      target === undefined
        ? Effect.void
        : Effect.repeat(
            Effect.suspend(() => Effect.ignore(reshard(target!, 900))),
            // A snapshot was put a moment ago, perhaps, and KV takes one put a second under one key.
            { until: () => target === undefined, times: 20, schedule: Schedule.spaced("1 seconds") }
          )
    )
  }
}
