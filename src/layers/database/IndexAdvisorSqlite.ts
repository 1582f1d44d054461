import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Advice, AdvisorError, IndexAdvisor } from "../../services/database/IndexAdvisor.ts"
import { usdOf } from "../../services/database/model/DatabasePrices.ts"
import {
  type Candidate,
  candidatesOf,
  covers,
  createSql,
  nameOf
} from "../../services/database/model/IndexCandidates.ts"
import type { PlanRow } from "../../services/database/model/PlanCost.ts"
import { rewritesOf } from "../../services/database/model/Rewrites.ts"
import { makeWhatIf, type Sandbox, type WhatIf, type Workload } from "./internal/whatIf.ts"

export type { Sandbox } from "./internal/whatIf.ts"

/** Indexes that one advice names at most. */
const maxCreated = 20

/** Days for which statements must have been recorded before an index that none of them uses is called unused. */
const leastDays = 1

/** Days in which an index must have saved what building it costs. */
const paybackDays = 365

/** Advice from what SQLite's planner does with an index in an empty copy of the schema; the copy is taken back. */
export const make = (sandbox: Sandbox): Context.Tag.Service<IndexAdvisor> => ({
  advise: (database, statements, days) =>
    Effect.try({
      try: () =>
        sandbox.rolledBack(() => {
          const whatIf = makeWhatIf(sandbox, database, statements)
          return [...dropped(whatIf, days), ...rewritten(whatIf), ...created(whatIf)].sort(
            (a, b) => b.usdSavedPerDay - a.usdSavedPerDay
          )
        }),
      catch: (cause) => new AdvisorError({ operation: "advise", reason: "Failed", cause })
    })
})

export const layer = (sandbox: Sandbox): Layer.Layer<IndexAdvisor> => Layer.succeed(IndexAdvisor, make(sandbox))

// internal

/** Rows a day, as measured before, and scaled by the estimates after. */
const perDay = ({ callsPerDay, rowsReadPerCall }: Workload): number => callsPerDay * rowsReadPerCall

interface Trial {
  readonly costs: ReadonlyArray<number>
  readonly saved: number
}

/** Tries each candidate with those that were chosen before, and takes the best, until none is worth it. */
const created = (whatIf: WhatIf): ReadonlyArray<Advice> => {
  const { figures, indexes, workload } = whatIf
  const first = workload.map(whatIf.cost)
  const weights = workload.map((one, i) => perDay(one) / Math.max(1, first[i]!))
  const writesOf = (table: string): number =>
    workload
      .filter(({ writes }) => writes.some((name) => name.toLowerCase() === table))
      .reduce((sum, { callsPerDay, rowsWrittenPerCall }) => sum + callsPerDay * Math.max(1, rowsWrittenPerCall), 0)
  const keepUsd = (table: string): number => usdOf({ rowsRead: 0, rowsWritten: writesOf(table) })

  const candidates = new Map<string, Candidate>()
  for (const { outline } of workload) {
    for (const candidate of candidatesOf(outline, figures.distinctOf)) {
      const there = indexes.some(
        ({ columns, table }) => table === candidate.table && covers(columns, candidate.columns)
      )
      if (!there) candidates.set(nameOf(candidate), candidate)
    }
  }
  const touches = (candidate: Candidate, { outline }: Workload): boolean =>
    [...outline.aliases.values()].includes(candidate.table)

  let costs: ReadonlyArray<number> = first
  const trial = (candidate: Candidate): Trial => {
    whatIf.create(candidate)
    let saved = 0
    const after = workload.map((one, i) => {
      if (!touches(candidate, one)) return costs[i]!
      const cost = whatIf.cost(one)
      saved += (costs[i]! - cost) * weights[i]!
      return cost
    })
    whatIf.drop(candidate)
    return { costs: after, saved }
  }

  const buildUsd = (table: string): number => {
    const rows = figures.rowsOf(table)
    return usdOf({ rowsRead: rows, rowsWritten: rows })
  }
  /** Dollars a day, less what the index costs to keep and, over the time in which it must have paid, to build. */
  const worthOf = (candidate: Candidate): number => {
    const { table } = candidate
    return usdOf({ rowsRead: trial(candidate).saved, rowsWritten: 0 }) - keepUsd(table) - buildUsd(table) / paybackDays
  }

  // What a candidate is worth mostly falls with those chosen before, so only the one that promised most is tried again;
  // joins are where it may grow, so all are before the search ends.
  const promised = [...candidates.values()].map((candidate) => ({ candidate, worth: worthOf(candidate), round: 0 }))
  const advice: Array<Advice> = []
  for (let round = 0; advice.length < maxCreated && promised.length > 0; ) {
    promised.sort((a, b) => b.worth - a.worth || a.candidate.columns.length - b.candidate.columns.length)
    const best = promised[0]!
    const { candidate } = best
    const stale = best.worth > 0 ? [best] : promised
    const again = stale.filter((one) => one.round < round)
    if (again.length > 0) {
      for (const one of again) Object.assign(one, { worth: worthOf(one.candidate), round })
      continue
    }
    if (best.worth <= 0) break
    promised.shift()
    const { costs: after, saved } = trial(candidate)
    const [most] = workload
      .map((one, i) => ({ one, gain: (costs[i]! - after[i]!) * weights[i]! }))
      .sort((a, b) => b.gain - a.gain)
    const planBefore = details(whatIf.plan(most!.one))
    whatIf.create(candidate)
    costs = after
    round += 1
    const better = workload.filter((one, i) => touches(candidate, one) && after[i]! < first[i]!).length
    advice.push({
      kind: "create",
      statement: createSql(candidate),
      reason: `${better} of ${workload.length} recorded statements read fewer rows, most of all: ${most!.one.sql}`,
      rowsSavedPerDay: Math.round(saved),
      usdToBuild: buildUsd(candidate.table),
      usdToKeepPerDay: keepUsd(candidate.table),
      usdSavedPerDay: usdOf({ rowsRead: saved, rowsWritten: 0 }) - keepUsd(candidate.table),
      planBefore,
      planAfter: details(whatIf.plan(most!.one))
    })
  }
  return advice
}

/** Indexes that another one replaces, and those that no recorded statement uses. */
const dropped = ({ indexes, plan, workload }: WhatIf, days: number): ReadonlyArray<Advice> => {
  const used = new Set(
    workload.flatMap((one) =>
      plan(one).flatMap(({ detail }) => /USING (?:COVERING )?INDEX (\S+)/.exec(detail)?.[1] ?? [])
    )
  )
  const writes = (table: string): number =>
    workload
      .filter((one) => one.writes.some((name) => name.toLowerCase() === table))
      .reduce((sum, one) => sum + one.callsPerDay * Math.max(1, one.rowsWrittenPerCall), 0)
  return indexes.flatMap((index): ReadonlyArray<Advice> => {
    if (!index.made || index.unique) return []
    const wider = indexes.find(
      (other) =>
        other !== index &&
        other.table === index.table &&
        covers(other.columns, index.columns) &&
        (other.columns.length > index.columns.length || other.name < index.name)
    )
    const reason =
      wider !== undefined
        ? `${wider.name} begins with the same columns and serves the same statements`
        : used.has(index.name) || days < leastDays
          ? undefined
          : `none of ${workload.length} recorded statements uses it; look for others, such as monthly ones, before dropping it`
    if (reason === undefined) return []
    const usd = usdOf({ rowsRead: 0, rowsWritten: writes(index.table) })
    return [
      {
        kind: "drop",
        statement: `DROP INDEX "${index.name}"`,
        reason,
        rowsSavedPerDay: 0,
        usdToBuild: 0,
        usdToKeepPerDay: -usd,
        usdSavedPerDay: usd,
        planBefore: [],
        planAfter: []
      }
    ]
  })
}

const rewritten = ({ plan, workload }: WhatIf): ReadonlyArray<Advice> =>
  workload.flatMap((one) => {
    const rows = one.callsPerDay * Math.max(0, one.rowsReadPerCall - one.rowsReturnedPerCall)
    return rewritesOf(one).map((reason) => ({
      kind: "rewrite" as const,
      statement: one.sql,
      reason,
      rowsSavedPerDay: Math.round(rows),
      usdToBuild: 0,
      usdToKeepPerDay: 0,
      usdSavedPerDay: usdOf({ rowsRead: rows, rowsWritten: 0 }),
      planBefore: details(plan(one)),
      planAfter: []
    }))
  })

const details = (plan: ReadonlyArray<PlanRow>): ReadonlyArray<string> => plan.map(({ detail }) => detail)
