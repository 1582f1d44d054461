import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Bill, noBill, type Tariff } from "../../services/ledger/model/MigrationBill.ts"
import type { Mode } from "../../services/migration/RecordedMode.ts"
import type {
  CopySource,
  HandOver,
  HandOvers,
  Head,
  KvStoreOfRecord,
  StoreOfRecordError,
  Target
} from "../../services/migration/StoresOfRecord.ts"
import { compareStamps, type Entry } from "../../services/store/model/Entry.ts"

/** One direction of the switch: from where, to where, and who remembers. */
export interface Direction {
  readonly to: Mode
  readonly source: CopySource
  readonly target: Target
  readonly memory: HandOvers
  /** Invalidations that the target cannot be told of: what they ended in it has to be removed. */
  readonly endedBy: KvStoreOfRecord["marksOf"] | undefined
  /** The target, where it costs next to nothing to ask it what it holds. */
  readonly copies: Pick<CopySource, "read"> | undefined
  readonly tariff: Tariff
  readonly dryRun: boolean
  readonly pageEntries: number
}

/**
 * For so long after a hand-over either store may have been in force: the flag may have been changed back, and isolates
 * may still have run the old one. What one store lost later than that while the other was in force was not deleted by
 * anyone who used it.
 */
const unsureFor = Duration.hours(1)

/** One page done, and where the next one begins. */
export interface PageDone {
  readonly cursor: string | undefined
  readonly entries: number
  readonly copied: number
  readonly dropped: number
  readonly refused: number
  readonly expected: Bill
}

export const nothingDone: PageDone = {
  cursor: undefined,
  entries: 0,
  copied: 0,
  dropped: 0,
  refused: 0,
  expected: noBill
}

/** Whether the other store was told of this version. */
export const wasHandedOver = ({ version }: Head, handOver: HandOver | undefined): boolean =>
  handOver !== undefined && compareStamps(handOver.version, version) >= 0

/** Whether the store of the mode may have been in force since the hand-over, so that what it lacks was deleted in it. */
export const mayHaveBeenInForce = (mode: Mode, handOver: HandOver | undefined, now: number): boolean =>
  handOver !== undefined && (handOver.to === mode || now - handOver.at < Duration.toMillis(unsureFor))

/** What becomes of each batch that the store answers for. */
export const inBatches = <A>(
  { read }: Pick<CopySource, "read">,
  heads: ReadonlyArray<Head>,
  each: (part: ReadonlyArray<Head>, entries: ReadonlyArray<Entry | undefined>) => Effect.Effect<A, StoreOfRecordError>
): Effect.Effect<ReadonlyArray<A>, StoreOfRecordError> =>
  Effect.gen(function* () {
    const results: Array<A> = []
    for (let at = 0; at < heads.length; ) {
      const entries = yield* read(heads.slice(at))
      results.push(yield* each(heads.slice(at, at + entries.length), entries))
      at += entries.length
    }
    return results
  })

/** Those of the heads whose entry in a store, or the lack of one there, is as told. */
export const headsWhere = (
  store: Pick<CopySource, "read">,
  heads: ReadonlyArray<Head>,
  isSo: (entry: Entry | undefined, head: Head) => boolean
): Effect.Effect<ReadonlyArray<Head>, StoreOfRecordError> =>
  Effect.map(
    inBatches(store, heads, (part, entries) =>
      Effect.succeed(part.filter((head, index) => isSo(entries[index], head)))
    ),
    (parts) => parts.flat()
  )
