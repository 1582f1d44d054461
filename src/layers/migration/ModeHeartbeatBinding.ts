import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { ModeHeartbeat, ModeHeartbeatError } from "../../services/migration/ModeHeartbeat.ts"
import { billedRpc, type ShardNamespace } from "../durable/object/billedRpc.ts"
import { shardObjectName } from "../durable/object/shardProtocol.ts"

interface Beating {
  readonly heartbeat: (operation: Operation) => Promise<boolean>
}

type Operation = ModeHeartbeatError["operation"]

/** How long the first object may take to answer a cron. */
const patience = "10 seconds"

/** The heartbeat in the object of the first shard: one RPC each. */
export const make = (namespace: ShardNamespace, ledger: Ledger["Type"]): ModeHeartbeat["Type"] => {
  const call = (operation: Operation): Effect.Effect<boolean, ModeHeartbeatError> =>
    Effect.tryPromise({
      try: () => billedRpc(namespace, ledger, shardObjectName(0), (object: Beating) => object.heartbeat(operation)),
      catch: (cause) => new ModeHeartbeatError({ operation, reason: "Unavailable", cause })
    }).pipe(
      Effect.timeoutFail({
        duration: patience,
        onTimeout: () => new ModeHeartbeatError({ operation, reason: "Unavailable" })
      })
    )
  return { goOn: call("goOn"), confirm: Effect.asVoid(call("confirm")), stop: Effect.asVoid(call("stop")) }
}

export const layer = (namespace: ShardNamespace): Layer.Layer<ModeHeartbeat, never, Ledger> =>
  Layer.effect(
    ModeHeartbeat,
    Effect.map(Ledger, (ledger) => make(namespace, ledger))
  )
