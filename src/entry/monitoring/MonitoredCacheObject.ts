import type { Arguments, ShardMethod } from "../../layers/durable/object/shardProtocol.ts"
import { operationOf } from "../../layers/durable/object/shardProtocol.ts"
import * as LedgerMemory from "../../layers/ledger/LedgerMemory.ts"
import * as FigureBookStorage from "../../layers/monitoring/FigureBookStorage.ts"
import * as RuntimeSettingsStorage from "../../layers/settings/RuntimeSettingsStorage.ts"
import { usdOf } from "../../services/ledger/Ledger.ts"
import type { Carried, CarriedReply } from "../../services/monitoring/model/Carried.ts"
import { totalsIn } from "../../services/monitoring/model/Performance.ts"
import { type Change, type RuntimeState, valuesOf } from "../../services/settings/model/RuntimeState.ts"
import { CacheDurableObject } from "../CacheDurableObject.ts"

const noTotals = LedgerMemory.make(0).report().total

/** A shard's object; the first one also keeps what all isolates count, which they tell it with their calls. */
export class MonitoredCacheObject<Env = unknown> extends CacheDurableObject<Env> {
  readonly #book = FigureBookStorage.make(this.stored.kv as FigureBookStorage.BookStorage)
  readonly #settings = RuntimeSettingsStorage.make(this.stored.kv as RuntimeSettingsStorage.SettingsStorage)

  #settled(along: Carried): CarriedReply {
    const now = Date.now()
    const saved = this.#book.take(along, now)
    const state = this.#settings.read(now)
    const usdToday = usdOf(totalsIn(this.#book.today(now), noTotals))
    return { saved, usdToday, ...(state.version === along.settings ? {} : { settings: valuesOf(state) }) }
  }

  /** Any call, or none, with what the caller has counted. */
  async carrying<M extends ShardMethod>(along: Carried, method?: M, args?: Arguments<M>) {
    const settled = this.#settled(along)
    if (method === undefined || !Object.hasOwn(operationOf, method)) return { billed: this.billed(), settled }
    const call = this[method] as (...args: Arguments<M>) => Promise<object>
    return { ...(await call.apply(this, args ?? ([] as unknown as Arguments<M>))), settled }
  }

  /** Settings that were changed at run time, after a change or without. */
  async configure(change?: Change): Promise<RuntimeState> {
    return change === undefined ? this.#settings.read(Date.now()) : this.#settings.change(change, Date.now())
  }

  /** What all isolates have counted. */
  async figures(along: Carried) {
    const settled = this.#settled(along)
    return { view: this.#book.view(Date.now()), settled, billed: this.billed() }
  }
}
