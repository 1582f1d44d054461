import * as Effect from "effect/Effect"
import type { Ledger } from "../../services/ledger/Ledger.ts"
import type { Window } from "../../services/limits/model/FixedWindow.ts"
import { billedRpc, type ShardNamespace } from "./object/billedRpc.ts"
import { shardObjectName } from "./object/shardProtocol.ts"

/** Leases from the object of the first shard: one RPC each, no row, as a window of a minute is kept in its memory. */
export const make =
  (namespace: ShardNamespace, ledger: Ledger["Type"]) =>
  (caller: string, hits: number, windowMillis: number): Effect.Effect<Window, unknown> =>
    Effect.tryPromise(() =>
      billedRpc(namespace, ledger, shardObjectName(0), (object: Leasing) => object.hit(caller, hits, windowMillis))
    )

interface Leasing {
  readonly hit: (key: string, hits: number, windowMillis: number) => Promise<Window>
}
