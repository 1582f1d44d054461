import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BudgetAccount, BudgetAccountError } from "../../services/budget/BudgetAccount.ts"
import { type KvCounts, Ledger, noCounts } from "../../services/ledger/Ledger.ts"
import { billedRpc, type ShardNamespace } from "./object/billedRpc.ts"
import { shardObjectName } from "./object/shardProtocol.ts"

/** Within this, an isolate tells the object once what it has spent, and learns what others have. */
const everyMillis = 30_000

const patience = "5 seconds"

interface Account {
  readonly spend: (day: number, spent: KvCounts) => Promise<KvCounts>
}

/** The account in the object of the first shard: one RPC each, no KV operation. */
export const make = (namespace: ShardNamespace, ledger: Ledger["Type"]): BudgetAccount["Type"] => ({
  share: (day, spent) =>
    Effect.tryPromise({
      try: async () => {
        const spend = (object: Account) => object.spend(day, spent)
        return { total: await billedRpc(namespace, ledger, shardObjectName(0), spend), billed: noCounts }
      },
      catch: (cause) => new BudgetAccountError({ operation: "share", reason: "Unavailable", cause })
    }).pipe(
      Effect.timeoutFail({
        duration: patience,
        onTimeout: () => new BudgetAccountError({ operation: "share", reason: "Unavailable" })
      })
    ),
  due: (_spent, before, now) => before === undefined || now - before >= everyMillis
})

export const layer = (namespace: ShardNamespace): Layer.Layer<BudgetAccount, never, Ledger> =>
  Layer.effect(
    BudgetAccount,
    Effect.map(Ledger, (ledger) => make(namespace, ledger))
  )
