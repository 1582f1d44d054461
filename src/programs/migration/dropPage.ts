import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { otherThan } from "../../services/migration/RecordedMode.ts"
import type { Head, StoreOfRecordError } from "../../services/migration/StoresOfRecord.ts"
import { isInvalidated, type Stamp } from "../../services/store/model/Entry.ts"
import {
  type Direction,
  headsWhere,
  mayHaveBeenInForce,
  nothingDone,
  type PageDone,
  wasHandedOver
} from "./migrationDirection.ts"

/**
 * Removes what of one page of the target was handed over and is gone from the source: it was deleted there. What was
 * never handed over stays, unless the source knows of an invalidation after it.
 */
export const dropPage = (
  { dryRun, endedBy, memory, pageEntries, source, target, tariff, to }: Direction,
  after: string | undefined
): Effect.Effect<PageDone, StoreOfRecordError> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const { cursor, heads } = yield* target.page(after, pageEntries)
    const agreed = yield* memory.agreed(heads.map(({ id }) => id))
    const marks = endedBy === undefined ? noMarks : yield* endedBy(heads)
    const isEnded = ({ id, tags, version }: Head) => isInvalidated({ tags, stamp: version }, marks, id)
    const ended = heads.filter(isEnded)
    const questioned = heads.filter((head, index) => {
      const handOver = agreed[index]
      return wasHandedOver(head, handOver) && mayHaveBeenInForce(otherThan(to), handOver, now) && !isEnded(head)
    })
    const unread = dryRun && endedBy !== undefined
    const missing = unread ? [] : yield* headsWhere(source, questioned, (entry) => entry === undefined)
    const gone = [...ended, ...missing]
    if (dryRun) {
      const expected = tariff.dropping({
        heads: heads.length,
        questioned: questioned.length,
        gone: gone.length
      })
      return { ...nothingDone, cursor, dropped: gone.length, expected }
    }
    yield* target.remove(gone)
    const noted = heads.filter((_, index) => agreed[index] !== undefined)
    yield* memory.forget(noted.filter((head) => gone.includes(head)).map(({ id }) => id))
    return { ...nothingDone, cursor, dropped: gone.length }
  })

const noMarks: ReadonlyMap<string, Stamp> = new Map()
