import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type Access, isReadOnly, type Tables, unknownAccess } from "../../services/database/model/Bytecode.ts"
import { rowsOfKvRead, rowsOfRequest } from "../../services/database/model/DatabasePrices.ts"
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
import { TableVersions } from "../../services/database/TableVersions.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import { type Observation, zeroStamp } from "../../services/store/model/Entry.ts"
import { MemoryTier, slotBytes } from "../../services/tiers/MemoryTier.ts"
import { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import { type Answer, ask, copied, type Database } from "./internal/d1.ts"
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
  /** Of the tables, as the shard counted them before the query; for strict answers. */
  readonly version: string | undefined
  /** Milliseconds since the epoch, from where the caller's ttl is counted. */
  readonly readAt: number
}

/** For how long an answer counts, and at which version of its tables. */
type Keeping = Pick<Held, "version"> & { readonly ttl: number }

const unkept: Keeping = { ttl: 0, version: undefined }

const none: Freshness = { kind: "none" }

export const make = (
  database: Database | undefined,
  memory: Context.Tag.Service<MemoryTier>,
  flights: Context.Tag.Service<SingleFlight>,
  versions: Context.Tag.Service<TableVersions>,
  ledger: Pick<Context.Tag.Service<Ledger>, "record">,
  /** Rows from which on a strict answer is kept. */
  strictRows = rowsOfRequest
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

  const countAnswer = (statement: Statement, { millis, rows, rowsRead, rowsWritten }: Answer): void => {
    count(statement, { millis, rowsRead, rowsReturned: rows.length, rowsWritten })
    if (rowsRead > 0) ledger.record({ tier: "other", item: "d1RowsRead", count: rowsRead })
    if (rowsWritten > 0) ledger.record({ tier: "other", item: "d1RowsWritten", count: rowsWritten })
  }

  /** What the isolate holds of an answer, while it counts. */
  const lookup = (id: string, statement: Statement, key: Keeping, now: number): QueryResult | undefined => {
    const observation = memory.get(id, now)
    const kept = observation && held.get(observation)
    if (kept === undefined || now - kept.readAt >= key.ttl || !writes.isCurrent(kept.access.reads, kept.since)) return
    if (key.version !== undefined && kept.version !== key.version) return
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

  /** Runs some queries, and learns what those access of which that is not known. */
  const learning = (
    operation: DatabaseError["operation"],
    running: ReadonlyArray<Query>,
    queries: ReadonlyArray<Query>,
    known: ReadonlyArray<Statement>,
    learned: () => void
  ) => {
    const unknown = known.filter(({ access }) => access === undefined)
    const asked = queries.filter((_, i) => known[i]!.access === undefined)
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      ask(database, operation, running, asked, (accesses) => {
        for (const [i, access] of accesses.entries()) Object.assign(unknown[i]!, { access, knownAt: now })
        learned()
      })
    )
  }

  /** Runs the queries, learns what they access, and remembers what they wrote. */
  const run = (
    operation: DatabaseError["operation"],
    queries: ReadonlyArray<Query>,
    known: ReadonlyArray<Statement>
  ) => {
    return learning(operation, queries, queries, known, () => {
      for (const { access = unknownAccess } of known) writes.wrote(access.writes)
    }).pipe(
      Effect.tap((answers) => {
        for (const [i, answer] of answers.entries()) countAnswer(known[i]!, answer)
        return Effect.void
      })
    )
  }

  const load = (query: Query, statement: Statement, id: string | undefined, { ttl, version }: Keeping) =>
    Effect.gen(function* () {
      const since = writes.now()
      const readAt = yield* Clock.currentTimeMillis
      const [answer] = yield* run("read", [query], [statement])
      const { access } = statement
      if (id !== undefined && isCacheable(access) && writes.isCurrent(access.reads, since)) {
        const kept = { access, since, readAt, rowsRead: answer!.rowsRead, version }
        hold(id, answer!, kept, ttl, yield* Clock.currentTimeMillis)
      }
      return answer!
    })

  const cached = (query: Query, statement: Statement, id: string, keeping: Keeping) =>
    Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<QueryResult, DatabaseError> => {
      const found = lookup(id, statement, keeping, now)
      if (found !== undefined) return Effect.succeed(found)
      // A query that is asked for after a write does not join one from before it.
      const flight = `${id} ${writes.now()} ${keeping.version ?? ""}`
      return Effect.map(flights.run(flight, patience, load(query, statement, id, keeping)), copied)
    })

  /** Whether the statement's answers cost more than the request to the object that strictness takes. */
  const strictPays = ({ text }: Statement): boolean => {
    const known = counts.get(text)?.counts
    return known !== undefined && known.rowsRead + known.rowsSaved >= strictRows * known.calls
  }

  const strict = (query: Query, statement: Statement, id: string) => {
    const direct = load(query, statement, undefined, unkept)
    const { access } = statement
    if (!versions.enabled || access === undefined || !strictPays(statement)) return direct
    return versions.read(access.reads).pipe(
      Effect.option,
      Effect.flatMap(
        Option.match({
          onNone: () => direct,
          onSome: ({ version, writing }) =>
            writing ? direct : cached(query, statement, id, { ttl: Number.POSITIVE_INFINITY, version })
        })
      )
    )
  }

  const read = (query: Query, freshness: Freshness = none): Effect.Effect<QueryResult, DatabaseError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const statement = statementOf(query.sql, now)
      const bound = keyOf(query.bound ?? [])
      const { access } = statement
      if (freshness.kind === "none" || bound === undefined || (access !== undefined && !isCacheable(access))) {
        return load(query, statement, undefined, unkept)
      }
      const id = `query ${freshness.kind} ${statement.id} ${bound}`
      if (freshness.kind === "strict") return strict(query, statement, id)
      return cached(query, statement, id, { ttl: freshness.ttl, version: undefined })
    })

  /** Announces the write to the tables' counters, where somebody counts; which tables that are must be known before. */
  const counted = (queries: ReadonlyArray<Query>, known: ReadonlyArray<Statement>) =>
    Effect.gen(function* () {
      const isNew = known.some(({ access }) => access === undefined)
      if (isNew) yield* learning("write", [], queries, known, () => undefined)
      const written = unionOf(known.map(({ access = unknownAccess }) => access.writes))
      if (written !== "all" && written.size === 0) return yield* run("write", queries, known)
      // Nobody who stops waiting may end the write before the database does.
      return yield* Effect.uninterruptible(
        Effect.acquireUseRelease(
          versions.begin(written),
          () => run("write", queries, known),
          (id) => Effect.catchAll(versions.end(id), (error) => Effect.logWarning("a write is counted late", error))
        )
      )
    })

  return {
    read: read as Context.Tag.Service<QueryCache>["read"],

    write: (queries) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (queries.length === 0) return Effect.succeed([])
        const known = queries.map(({ sql }) => statementOf(sql, now))
        return versions.enabled ? counted(queries, known) : run("write", queries, known)
      }),

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

export const layer = (
  database: Database | undefined
): Layer.Layer<QueryCache, never, MemoryTier | SingleFlight | TableVersions | Ledger> =>
  Layer.effect(
    QueryCache,
    Effect.map(Effect.all([MemoryTier, SingleFlight, TableVersions, Ledger]), ([memory, flights, versions, ledger]) =>
      make(database, memory, flights, versions, ledger)
    )
  )

// internal

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const unionOf = (all: ReadonlyArray<Tables>): Tables =>
  all.includes("all") ? "all" : new Set(all.flatMap((tables) => [...(tables as ReadonlySet<string>)]))

/** Bound values as text; none for bytes and for numbers that JSON does not have. */
const keyOf = (bound: ReadonlyArray<Value>): string | undefined =>
  bound.every((value) => value === null || typeof value === "string" || Number.isFinite(value))
    ? JSON.stringify(bound)
    : undefined

const isCacheable = (access: Access | undefined): access is Access =>
  access?.deterministic === true && isReadOnly(access)
