import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Ledger } from "../../services/ledger/Ledger.ts"
import type { Change, RuntimeState } from "../../services/settings/model/RuntimeState.ts"
import { RuntimeSettings, RuntimeSettingsError } from "../../services/settings/RuntimeSettings.ts"
import { billedRpc, type ShardNamespace } from "./object/billedRpc.ts"
import { shardObjectName } from "./object/shardProtocol.ts"

const patience = "5 seconds"

interface Configured {
  readonly configure: (change?: Change) => Promise<RuntimeState>
}

/** Settings changed at run time, in the first object: one RPC each. */
export const make = (
  namespace: ShardNamespace,
  ledger: Ledger["Type"],
  onState: (state: RuntimeState) => void
): RuntimeSettings["Type"] => {
  const ask = (operation: RuntimeSettingsError["operation"], change?: Change) => {
    const failed = (cause?: unknown) => new RuntimeSettingsError({ operation, reason: "Unavailable", cause })
    return Effect.tryPromise({
      try: async () => {
        const state = await billedRpc(namespace, ledger, shardObjectName(0), (object: Configured) =>
          object.configure(change)
        )
        onState(state)
        return state
      },
      catch: failed
    }).pipe(Effect.timeoutFail({ duration: patience, onTimeout: () => failed() }))
  }
  return { read: ask("read"), change: (change) => ask("change", change), boundSeconds: 60 }
}

export const layer = (
  namespace: ShardNamespace,
  onState: (state: RuntimeState) => void
): Layer.Layer<RuntimeSettings, never, Ledger> =>
  Layer.effect(
    RuntimeSettings,
    Effect.map(Ledger, (ledger) => make(namespace, ledger, onState))
  )
