import * as Effect from "effect/Effect"
import type { Ledger } from "../../services/ledger/Ledger.ts"
import type { Window } from "../../services/limits/model/FixedWindow.ts"
import type { ShardNamespace } from "./DurableCacheBinding.ts"
import { recordRpc, shardObjectName } from "./object/shardProtocol.ts"

/** Leases from the object of the first shard: one RPC each, no row, as a window of a minute is kept in its memory. */
export const make =
  (namespace: ShardNamespace, ledger: Ledger["Type"]) =>
  (caller: string, hits: number, windowMillis: number): Effect.Effect<Window, unknown> =>
    Effect.tryPromise(async () => {
      const object = namespace.getByName(shardObjectName(0)) as {
        readonly hit: (key: string, hits: number, windowMillis: number) => Promise<Window>
      }
      try {
        return await object.hit(caller, hits, windowMillis)
      } finally {
        recordRpc(ledger, undefined)
      }
    })
