import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { FigureBook, FigureBookError, type FigureView } from "../../services/monitoring/FigureBook.ts"
import { Monitor, type MonitorService } from "../../services/monitoring/Monitor.ts"
import type { Carried, CarriedReply } from "../../services/monitoring/model/Carried.ts"
import { billedRpc, type ShardNamespace } from "./object/billedRpc.ts"
import { type Billed, shardObjectName } from "./object/shardProtocol.ts"

const patience = "5 seconds"

const unavailable = (cause?: unknown) => new FigureBookError({ operation: "read", reason: "Unavailable", cause })

interface Settled {
  readonly settled: CarriedReply
  readonly billed: Billed
}

/** The methods of the first object. */
interface Book {
  readonly carrying: (along: Carried) => Promise<Settled>
  readonly figures: (along: Carried) => Promise<Settled & { readonly view: FigureView }>
}

/** One RPC to the first object that carries figures. */
const carried = async <A extends Settled>(
  namespace: ShardNamespace,
  ledger: Ledger["Type"],
  monitor: MonitorService,
  call: (object: Book) => Promise<A>
): Promise<A> => {
  const reply = await billedRpc(namespace, ledger, shardObjectName(0), call)
  monitor.settled(reply.settled)
  return reply
}

/** Tells the first object what this isolate counted, where no call to it did so for a minute. One RPC. */
export const tell = (namespace: ShardNamespace, ledger: Ledger["Type"], monitor: MonitorService): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const along = monitor.next(now, "alone")
    if (along === undefined) return Effect.void
    return Effect.ignoreLogged(
      Effect.tryPromise(() => carried(namespace, ledger, monitor, (object) => object.carrying(along)))
    )
  })

/** What all isolates counted, from the first object: one RPC, which also brings what this one has counted until now. */
export const make = (
  namespace: ShardNamespace,
  ledger: Ledger["Type"],
  monitor: MonitorService
): FigureBook["Type"] => ({
  view: Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.tryPromise({
      try: async () => {
        const along = monitor.next(now, "asked")!
        return (await carried(namespace, ledger, monitor, (object) => object.figures(along))).view
      },
      catch: unavailable
    })
  ).pipe(Effect.timeoutFail({ duration: patience, onTimeout: () => unavailable() }))
})

export const layer = (namespace: ShardNamespace): Layer.Layer<FigureBook, never, Ledger> =>
  Layer.effect(
    FigureBook,
    Effect.map(Effect.all([Ledger, Monitor]), ([ledger, monitor]) => make(namespace, ledger, monitor))
  )
