import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Access, isReadOnly, unknownAccess } from "../../services/database/model/Bytecode.ts"
import { plus, type StatementCounts, zeroCounts } from "../../services/database/model/StatementCounts.ts"
import { normalised } from "../../services/database/model/StatementText.ts"
import {
  type DatabaseError,
  type Freshness,
  type Query,
  QueryCache,
  type QueryResult,
  type Value
} from "../../services/database/QueryCache.ts"
import { type Observation, zeroStamp } from "../../services/store/model/Entry.ts"
import { MemoryTier, slotBytes } from "../../services/tiers/MemoryTier.ts"
import { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import { type Answer, ask, type Database } from "./internal/d1.ts"
import { makeTableWrites } from "./internal/tableWrites.ts"

export type { Database } from "./internal/d1.ts"

/** Statements that an isolate remembers; the longest unused goes first. */
const maxStatements = 500

/** How long a statement's tables are taken for known: a migration may change a view or a trigger. */
const accessMillis = 600_000

/** Bytes of an answer that is kept at most. */
const maxAnswerBytes = 1_000_000

/** How long one request waits for the same query of another. */
const patience = Duration.seconds(5)

interface Statement {
  /** Short, for keys. */
  readonly id: number
  readonly sql: string
  readonly text: string
  access: Access | undefined
  knownAt: number
}

/** What a kept answer counts by. */
interface Held {
  readonly access: Access
  readonly since: number
  readonly rowsRead: number
  /** Until when the caller's ttl is counted from. */
  readonly readAt: number
}

const none: Freshness = { kind: "none" }

export const make = (
  database: Database | undefined,
  memory: Context.Tag.Service<MemoryTier>,
  flights: Context.Tag.Service<SingleFlight>
): Context.Tag.Service<QueryCache> => {
  const statements = new Map<string, Statement>()
  const counts = new Map<string, { readonly statement: Statement; readonly counts: StatementCounts }>()
  let recordedSince: number | undefined
  const writes = makeTableWrites()
  const held = new WeakMap<Observation, Held>()
  let statementsSeen = 0

  const statementOf = (sql: string, now: number): Statement => {
    let known = statements.get(sql)
    if (known === undefined) {
      statementsSeen += 1
      recordedSince ??= now
      known = { id: statementsSeen, sql, text: normalised(sql), access: undefined, knownAt: 0 }
    } else statements.delete(sql)
    statements.set(sql, known)
    if (statements.size > maxStatements) statements.delete(statements.keys().next().value!)
    if (known.access !== undefined && now - known.knownAt > accessMillis) known.access = undefined
    return known
  }

  const count = (statement: Statement, more: Partial<StatementCounts>): void => {
    const before = counts.get(statement.text)
    if (before === undefined && counts.size >= maxStatements) counts.delete(counts.keys().next().value!)
    counts.set(statement.text, { statement, counts: plus(before?.counts ?? zeroCounts, { calls: 1, ...more }) })
  }

  const countAnswer = (statement: Statement, { millis, rows, rowsRead, rowsWritten }: Answer): void =>
    count(statement, { millis, rowsRead, rowsReturned: rows.length, rowsWritten })

  /** What the isolate holds of an answer, while it counts. */
  const lookup = (id: string, statement: Statement, ttl: number, now: number): QueryResult | undefined => {
    const observation = memory.get(id, now)
    const kept = observation && held.get(observation)
    if (kept === undefined || now - kept.readAt >= ttl || !writes.isCurrent(kept.access.reads, kept.since)) return
    const rows = JSON.parse(decoder.decode(observation!.entry!.value)) as QueryResult["rows"]
    count(statement, { cacheHits: 1, rowsReturned: rows.length, rowsSaved: kept.rowsRead })
    return { rows, changes: 0, rowsRead: 0, rowsWritten: 0 }
  }

  const hold = (id: string, answer: Answer, kept: Held, ttl: number, now: number): void => {
    const value = encoder.encode(JSON.stringify(answer.rows))
    if (value.byteLength > maxAnswerBytes) return
    const entry = { value, contentType: "", tags: [], stamp: zeroStamp, expiresAt: Infinity, loadMillis: answer.millis }
    const observation: Observation = { entry, readAt: kept.readAt }
    held.set(observation, kept)
    const options = {
      bytes: slotBytes(id, value.byteLength),
      retainUntil: kept.readAt + ttl,
      cost: answer.rowsRead / rowsOfKvRead
    }
    memory.set(id, observation, options, now)
  }

  /** Runs the queries, learns what they access, and remembers what they wrote. */
  const run = (
    operation: DatabaseError["operation"],
    queries: ReadonlyArray<Query>,
    known: ReadonlyArray<Statement>
  ) => {
    const unknown = known.filter(({ access }) => access === undefined)
    const asked = queries.filter((_, i) => known[i]!.access === undefined)
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      ask(database, operation, queries, asked, (accesses) => {
        for (const [i, access] of accesses.entries()) Object.assign(unknown[i]!, { access, knownAt: now })
        for (const { access = unknownAccess } of known) writes.wrote(access.writes)
      })
    ).pipe(
      Effect.tap((answers) => {
        for (const [i, answer] of answers.entries()) countAnswer(known[i]!, answer)
        return Effect.void
      })
    )
  }

  const load = (query: Query, statement: Statement, id: string | undefined, ttl: number) =>
    Effect.gen(function* () {
      const since = writes.now()
      const readAt = yield* Clock.currentTimeMillis
      const [answer] = yield* run("read", [query], [statement])
      const { access } = statement
      if (id !== undefined && isCacheable(access) && writes.isCurrent(access.reads, since)) {
        const kept = { access, since, readAt, rowsRead: answer!.rowsRead }
        hold(id, answer!, kept, ttl, yield* Clock.currentTimeMillis)
      }
      return answer!
    })

  const read = (query: Query, freshness: Freshness = none): Effect.Effect<QueryResult, DatabaseError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const statement = statementOf(query.sql, now)
      const ttl = "ttl" in freshness ? freshness.ttl : 0
      const bound = keyOf(query.bound ?? [])
      const { access } = statement
      if (ttl <= 0 || bound === undefined || (access !== undefined && !isCacheable(access))) {
        return load(query, statement, undefined, 0)
      }
      const id = `query ${statement.id} ${bound}`
      const found = lookup(id, statement, ttl, now)
      if (found !== undefined) return Effect.succeed(found)
      // Whoever asks after a write does not join a query from before it.
      return flights.run(`${id} ${writes.now()}`, patience, load(query, statement, id, ttl))
    })

  return {
    read: read as Context.Tag.Service<QueryCache>["read"],

    write: (queries) =>
      queries.length === 0
        ? Effect.succeed([])
        : Effect.flatMap(Clock.currentTimeMillis, (now) =>
            run(
              "write",
              queries,
              queries.map(({ sql }) => statementOf(sql, now))
            )
          ),

    recorded: () => ({
      since: recordedSince ?? 0,
      statements: [...counts.values()]
        .map(({ counts, statement: { access, sql, text } }) => ({
          sql: text,
          example: sql,
          writes: access === undefined || access.writes === "all" ? [] : [...access.writes],
          ...counts
        }))
        .sort((a, b) => b.rowsRead - a.rowsRead || b.calls - a.calls)
    })
  }
}

export const layer = (database: Database | undefined): Layer.Layer<QueryCache, never, MemoryTier | SingleFlight> =>
  Layer.effect(
    QueryCache,
    Effect.map(Effect.all([MemoryTier, SingleFlight]), ([memory, flights]) => make(database, memory, flights))
  )

// internal

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Rows of D1 that cost what one KV read costs: memory's weight counts KV reads. */
const rowsOfKvRead = 500

/** Bound values as text; none for bytes and for numbers that JSON does not have. */
const keyOf = (bound: ReadonlyArray<Value>): string | undefined =>
  bound.every((value) => value === null || typeof value === "string" || Number.isFinite(value))
    ? JSON.stringify(bound)
    : undefined

const isCacheable = (access: Access | undefined): access is Access =>
  access?.deterministic === true && isReadOnly(access)
