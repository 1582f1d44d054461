import { dayOf } from "../../base/model/UtcDay.ts"
import type { KvKind } from "../../ledger/model/KvKind.ts"

/** Operations that one UTC day allows; a kind that is left out is unlimited. */
export type DailyAllowance = { readonly [K in KvKind]?: number }

/** Spends a daily allowance that begins anew at 00:00 UTC. `take` is all or nothing; what it refuses is not spent. */
export const make = (daily: DailyAllowance): ((kind: KvKind, count: number, now: number) => boolean) => {
  let day = Number.NEGATIVE_INFINITY
  let used = { reads: 0, writes: 0, deletes: 0, lists: 0 }
  return (kind, count, now) => {
    const today = dayOf(now)
    if (today !== day) {
      day = today
      used = { reads: 0, writes: 0, deletes: 0, lists: 0 }
    }
    if (used[kind] + count > (daily[kind] ?? Number.POSITIVE_INFINITY)) return false
    used[kind] += count
    return true
  }
}
