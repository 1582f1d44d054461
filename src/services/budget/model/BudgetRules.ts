import { dayMillis, dayOf } from "../../base/model/UtcDay.ts"
import type { KvKind } from "../../ledger/model/KvKind.ts"
import type { BudgetMode } from "../Budget.ts"

/** Milliseconds since the epoch: the next 00:00 UTC. */
export const resetsAt = (now: number): number => (dayOf(now) + 1) * dayMillis

/** Writes kept back for what must be stored: one an hour, of a small allowance no more than half. */
export const reservedWrites = 24

/** What may be spent on things that could wait. */
export const usableOf = (kind: KvKind, allowance: number): number =>
  kind === "writes" ? allowance - Math.min(reservedWrites, Math.floor(allowance / 2)) : allowance

/** How far ahead of the day spending may be: a fifth of the allowance at 00:00, nothing at 24:00 ... */
const headroom = 0.2

/** ... and by how much less before saving ends, so that the mode does not change with every operation. */
const hysteresis = 0.1

/**
 * The mode after `spent` operations. `saving` begins when the share spent is above a line from {@link headroom} to 1 over
 * the day, and ends below a line that lies {@link hysteresis} lower; `spent` lasts until the day ends.
 */
export const modeAfter = (before: BudgetMode, spent: number, usable: number, now: number): BudgetMode => {
  if (spent >= usable) return "spent"
  return spent / usable > (before === "normal" ? 0 : -hysteresis) + lineAt(now) ? "saving" : "normal"
}

/** The longest that intervals are stretched. */
export const maxStretch = 24

/**
 * 1 in `normal`. In `saving` from 1 where that ends to {@link maxStretch}, by equal factors, within a quarter of the
 * allowance above, or three quarters of what is left: whatever the pace, spending then runs along the line, which
 * rises more slowly than the day goes by.
 */
export const stretchOf = (mode: BudgetMode, spent: number, usable: number, now: number): number => {
  if (mode === "normal") return 1
  if (mode === "spent") return maxStretch
  const low = lineAt(now) - hysteresis
  const above = (spent / usable - low) / Math.min(0.25, 0.75 * (1 - low))
  return maxStretch ** Math.min(1, Math.max(0, above))
}

const lineAt = (now: number): number => headroom + (1 - headroom) * (now / dayMillis - dayOf(now))
