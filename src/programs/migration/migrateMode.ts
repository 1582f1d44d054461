import * as Effect from "effect/Effect"
import { Ledger } from "../../services/ledger/Ledger.ts"
import * as MigrationBill from "../../services/ledger/model/MigrationBill.ts"
import type { Mode } from "../../services/migration/RecordedMode.ts"
import { type OpenStores, StoreOfRecordError, StoresOfRecord } from "../../services/migration/StoresOfRecord.ts"
import { isCollectionTag } from "../../services/store/model/Entry.ts"
import { copyPage } from "./copyPage.ts"
import { dropPage } from "./dropPage.ts"
import { type Direction, nothingDone, type PageDone } from "./migrationDirection.ts"
import { decode, encode, firstOf, nextOf, type Position } from "./migrationPosition.ts"

export interface MigrateOptions {
  readonly to: Mode
  /** Only say what it will bill. Listing what there is, is billed all the same. */
  readonly dryRun: boolean
  /** Fail when the objects cannot be reached, rather than take their snapshots. */
  readonly objectsOnly?: boolean
  /** Where an earlier run stopped. */
  readonly cursor?: string | undefined
  /** Calls of bindings after which a run stops; one page is done in any case. Default 900 of the 1,000 there are. */
  readonly operations?: number
  /** Entries handled together. Default 100, what one bulk read of KV takes. */
  readonly pageEntries?: number
}

export interface Migrated {
  readonly to: Mode
  /** Where the entries come from: `snapshot` when the objects cannot be reached. */
  readonly from: Mode | "snapshot"
  readonly dryRun: boolean
  /** Living entries looked at in the store they come from. */
  readonly entries: number
  /** Entries handed over; in a dry run, the most that would be. */
  readonly copied: number
  /** Entries of the other store that were removed: deleted or invalidated since they were handed over. */
  readonly dropped: number
  /** Entries that the other store refused. */
  readonly refused: number
  /** Where the next run goes on; undefined when all is done. */
  readonly cursor: string | undefined
  /** Whether nothing was left for another pass. */
  readonly settled: boolean
  /** By this isolate's ledger, with whatever else it did meanwhile; in a dry run, what is expected. */
  readonly billed: MigrationBill.Bill
  readonly usd: number
}

/**
 * Makes one store of record hold what the other one does: living entries under their own versions, deletes and
 * invalidations. It may die anywhere and be run again any number of times: a version is taken in where it is the
 * higher one, and what was handed over is remembered per entry.
 */
export const migrateMode = (options: MigrateOptions): Effect.Effect<Migrated, StoreOfRecordError, Ledger> =>
  Effect.gen(function* () {
    const { dryRun, operations = 900, pageEntries = 100, to } = options
    const service = yield* StoresOfRecord
    if (service === undefined) return yield* new StoreOfRecordError({ operation: "open", reason: "Absent" })
    const ledger = yield* Ledger
    const before = ledger.report().total
    const stores = yield* service.open
    const reachable = yield* stores.durable.reachable
    if ((to === "durable" || options.objectsOnly) && !reachable) {
      return yield* new StoreOfRecordError({ operation: "open", reason: "Unavailable" })
    }
    const from = to === "durable" ? "kv" : reachable ? "durable" : "snapshot"
    const direction = { ...directionOf(stores, from), to, dryRun, pageEntries }
    const mostCalls = (dryRun ? 0 : 2 * pageEntries) + 30

    const step = ({ after, phase }: Position): Effect.Effect<PageDone, StoreOfRecordError> =>
      phase === "marks"
        ? carryMarks(stores, from, dryRun, pageEntries, after)
        : phase === "copy"
          ? copyPage(direction, after)
          : dropPage(direction, after)

    let settled = from !== "snapshot"
    if (options.cursor === undefined && reachable && !dryRun) {
      settled &&= yield* Effect.match(Effect.tapError(stores.durable.settle, logged), {
        onSuccess: () => true,
        onFailure: () => false
      })
    }
    let position = options.cursor === undefined ? firstOf(to) : yield* decode(options.cursor, to)
    let total = nothingDone
    let next: Position | undefined
    for (;;) {
      const done = yield* step(position)
      total = added(total, done)
      next = nextOf(position, done.cursor)
      if (next === undefined) break
      position = next
      if (MigrationBill.callsBetween(before, ledger.report().total) + mostCalls > operations) break
    }
    const billed = dryRun ? total.expected : MigrationBill.between(before, ledger.report().total)
    return {
      to,
      from,
      dryRun,
      entries: total.entries,
      copied: total.copied,
      dropped: total.dropped,
      refused: total.refused,
      cursor: next && encode(next, to),
      settled: settled && total.refused === 0,
      billed,
      usd: MigrationBill.usd(billed)
    }
  })

const logged = (error: StoreOfRecordError) =>
  Effect.logWarning("the objects could not take in or save everything: another pass is needed", error)

const directionOf = (
  { durable, kv, snapshot }: OpenStores,
  from: Migrated["from"]
): Omit<Direction, "to" | "dryRun" | "pageEntries"> => {
  if (from === "kv") {
    const tariff = MigrationBill.toDurable
    return { source: kv, target: durable, memory: durable, endedBy: kv.marksOf, copies: durable, tariff }
  }
  const source = from === "durable" ? durable : snapshot
  return { source, target: kv, memory: source, endedBy: undefined, copies: undefined, tariff: MigrationBill.toKv }
}

/** Invalidations first, so that what they ended in KV does not come back while its entries are looked through. */
const carryMarks = (
  { durable, kv, snapshot }: OpenStores,
  from: Migrated["from"],
  dryRun: boolean,
  pageEntries: number,
  after: string | undefined
): Effect.Effect<PageDone, StoreOfRecordError> =>
  Effect.gen(function* () {
    const marks = yield* (from === "durable" ? durable : snapshot).marks
    const rest = [...marks.keys()].sort().filter((tag) => !isCollectionTag(tag) && (after === undefined || tag > after))
    const page = rest.slice(0, pageEntries)
    if (!dryRun) yield* kv.carry(new Map(page.map((tag) => [tag, marks.get(tag)!])))
    const kvBill = { ...MigrationBill.noBill.kv, reads: page.length, writes: page.length }
    return {
      ...nothingDone,
      cursor: rest.length > page.length ? page.at(-1) : undefined,
      expected: { ...MigrationBill.noBill, kv: kvBill }
    }
  })

const added = (a: PageDone, b: PageDone): PageDone => ({
  cursor: b.cursor,
  entries: a.entries + b.entries,
  copied: a.copied + b.copied,
  dropped: a.dropped + b.dropped,
  refused: a.refused + b.refused,
  expected: MigrationBill.sum(a.expected, b.expected)
})
