import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Resharding } from "../../services/durable/Resharding.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import * as DurableCacheBinding from "./DurableCacheBinding.ts"
import { makeSteps } from "./internal/reshardSteps.ts"

/** @param count shards of the first generation */
export const layer = (
  namespace: DurableCacheBinding.ShardNamespace,
  count: number
): Layer.Layer<Resharding, never, Ledger> =>
  Layer.effect(
    Resharding,
    Effect.map(Ledger, (ledger) =>
      makeSteps(DurableCacheBinding.calls(namespace, ledger), { generation: 0, shards: count })
    )
  )
