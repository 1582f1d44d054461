import * as Effect from "effect/Effect"
import { DurableCacheError } from "../../../services/durable/DurableCache.ts"
import { objectName, type Topology } from "../../../services/durable/model/Topology.ts"
import type { ReshardingService } from "../../../services/durable/Resharding.ts"
import type { ShardCall } from "../object/shardHandoff.ts"
import type { Answer, Arguments } from "../object/shardProtocol.ts"

/** The objects one by one, whatever carries the calls to them. */
export const makeSteps = (call: ShardCall, first: Topology): ReshardingService => {
  const ask = <M extends "reshard" | "flush">(
    object: string,
    method: M,
    ...args: Arguments<M>
  ): Effect.Effect<Answer<M>, DurableCacheError> =>
    Effect.matchEffect(call(object, method, ...args), {
      onFailure: (cause) => Effect.fail(failed(cause)),
      onSuccess: (reply) => (reply._tag === "Answered" ? Effect.succeed(reply.answer) : Effect.fail(failed(reply)))
    })

  return {
    first,
    step: (place, step) => ask(objectName(place), "reshard", step),
    flush: (place) => ask(objectName(place), "flush")
  }
}

const failed = (cause: unknown): DurableCacheError =>
  new DurableCacheError({ operation: "operate", reason: "Unavailable", cause })
