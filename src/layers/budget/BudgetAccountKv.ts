import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { BudgetAccount, BudgetAccountError, plus } from "../../services/budget/BudgetAccount.ts"
import type { DailyAllowance } from "../../services/budget/model/KvAllowance.ts"
import { Kv } from "../../services/kv/Kv.ts"
import { type KvCounts, noCounts } from "../../services/ledger/Ledger.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"
import { membersOf, parsed } from "../kv/jsonRecord.ts"

const key = "~~budget"

/** Writes a day that sharing takes on average: a twenty-fifth of the allowance, from 4 to 48. */
const shareOfWrites = 0.04
const fewestWrites = 4
const mostWrites = 48

/** How old what is known of the others may become while this isolate uses KV. */
const everyMillis = 600_000

interface Account {
  readonly day: number
  readonly total: KvCounts
}

const isAccount = (value: unknown): value is Account => {
  const { day, total } = membersOf(value)
  const { deletes, lists, reads, writes } = membersOf(total)
  return [day, reads, writes, deletes, lists].every((count) => typeof count === "number")
}

const decode = Option.liftThrowable((value: Uint8Array) => parsed(value, isAccount))

const failed = (cause: unknown) => new BudgetAccountError({ operation: "share", reason: "Unavailable", cause })

/**
 * The account as one value of the namespace. KV cannot add, and a write for every few operations of every short-lived
 * isolate would cost what is to be saved; so the total is a sample. An isolate begins somewhere at random within a
 * block of each allowance, and whenever it comes to a block's end adds the whole block: on average the total is
 * right however briefly isolates live. Blocks added within the minute that KV takes to show them may be lost.
 *
 * @param kv counted by the ledger, not by the budget: what sharing costs is told with the total
 * @param random uniform in [0, 1)
 */
export const make = (
  kv: Kv["Type"],
  allowances: DailyAllowance,
  random: () => number = Math.random
): BudgetAccount["Type"] => {
  const kinds = (["reads", "writes", "deletes", "lists"] as const).filter((kind) => allowances[kind] !== undefined)
  const writes = Math.min(mostWrites, Math.max(fewestWrites, (allowances.writes ?? 1000) * shareOfWrites))
  const blocks = new Map(kinds.map((kind) => [kind, Math.ceil((allowances[kind]! * kinds.length) / writes) || 1]))
  /** How far into its block this isolate is. Drawn late: there is no chance to be had before the first request. */
  let into: Record<KvKind, number> | undefined
  let today = Number.NEGATIVE_INFINITY
  let known: KvCounts = noCounts
  /** Spent since the last block that was added. */
  let pending: KvCounts = noCounts

  const begin = (): Record<KvKind, number> => {
    const at = { ...noCounts }
    for (const [kind, block] of blocks) Object.assign(at, { [kind]: Math.floor(random() * block) })
    return at
  }

  /** What is to be added: the blocks that this much brings to their end. */
  const whole = (spent: KvCounts): KvCounts => {
    into ??= begin()
    const ended = { ...noCounts } as Record<KvKind, number>
    for (const [kind, block] of blocks) ended[kind] = Math.floor((into[kind] + spent[kind]) / block) * block
    return ended
  }

  /** The total of that day; undefined when it is over. */
  const read = (day: number): Effect.Effect<KvCounts | undefined, BudgetAccountError> =>
    Effect.map(Effect.mapError(kv.get(key), failed), (found) => {
      const kept = Option.flatMap(found, ({ value }) => decode(value))
      if (day > today) {
        today = day
        known = noCounts
        pending = noCounts
      }
      if (Option.isSome(kept) && kept.value.day === day) known = highest(known, kept.value.total)
      return day < today || (Option.isSome(kept) && kept.value.day > day) ? undefined : known
    })

  return {
    share: (day, spent) =>
      Effect.flatMap(read(day), (before) => {
        if (before === undefined) return Effect.succeed({ total: noCounts, billed: { ...noCounts, reads: 1 } })
        const added = whole(spent)
        const total = plus(before, added)
        const settle = (): void => {
          into = minus(plus(into!, spent), added)
        }
        if (kinds.every((kind) => added[kind] === 0)) {
          settle()
          pending = plus(pending, spent)
          return Effect.succeed({ total: plus(total, pending), billed: { ...noCounts, reads: 1 } })
        }
        const text = new TextEncoder().encode(JSON.stringify({ day, total }))
        return Effect.map(Effect.mapError(kv.put(key, text), failed), () => {
          settle()
          known = total
          pending = noCounts
          return { total, billed: { ...noCounts, reads: 1, writes: 1 } }
        })
      }),
    due: (spent, before, now) =>
      before === undefined || now - before >= everyMillis || kinds.some((kind) => whole(spent)[kind] > 0)
  }
}

const highest = (one: KvCounts, other: KvCounts): KvCounts => ({
  reads: Math.max(one.reads, other.reads),
  writes: Math.max(one.writes, other.writes),
  deletes: Math.max(one.deletes, other.deletes),
  lists: Math.max(one.lists, other.lists)
})

const minus = (one: KvCounts, other: KvCounts): KvCounts => ({
  reads: one.reads - other.reads,
  writes: one.writes - other.writes,
  deletes: one.deletes - other.deletes,
  lists: one.lists - other.lists
})

export const layer = (allowances: DailyAllowance): Layer.Layer<BudgetAccount, never, Kv> =>
  Layer.effect(
    BudgetAccount,
    Effect.map(Kv, (kv) => make(kv, allowances))
  )
