import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { IndexAdvisor, type RecordedStatement } from "../../services/database/IndexAdvisor.ts"
import { QueryCache, type StatementStatistics } from "../../services/database/QueryCache.ts"
import { describeDatabase } from "./describeDatabase.ts"

const dayMillis = 86_400_000

/** Recording for less than this says little of a day. */
const leastMillis = 60_000

/** What the statements that this isolate recorded would gain from other indexes, at the rate of these last hours. */
export const adviseIndexes = Effect.gen(function* () {
  const queries = yield* QueryCache
  const { since, statements } = queries.recorded()
  const recorded = (yield* Clock.currentTimeMillis) - since
  const days = Math.max(leastMillis, recorded) / dayMillis
  const database = yield* describeDatabase
  const advice = yield* (yield* IndexAdvisor).advise(database, statements.filter(isOwn).map(recordedOf(days)), days)
  return { since, statements: statements.length, advice }
})

/** Not what the advisor itself asks of the schema. */
const isOwn = ({ example }: StatementStatistics): boolean =>
  !/\b(sqlite_schema|pragma_\w+)\b|^WITH RECURSIVE /.test(example)

const recordedOf =
  (days: number) =>
  ({
    cacheHits,
    calls,
    example,
    rowsRead,
    rowsReturned,
    rowsWritten,
    writes
  }: StatementStatistics): RecordedStatement => {
    const asked = Math.max(1, calls - cacheHits)
    return {
      sql: example,
      callsPerDay: (calls - cacheHits) / days,
      rowsReadPerCall: rowsRead / asked,
      rowsReturnedPerCall: rowsReturned / Math.max(1, calls),
      rowsWrittenPerCall: rowsWritten / asked,
      writes
    }
  }
