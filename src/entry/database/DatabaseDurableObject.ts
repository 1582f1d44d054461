import { DurableObject } from "cloudflare:workers"
import * as Runtime from "effect/Runtime"
import * as LoggerJson from "../../layers/base/LoggerJson.ts"
import * as IndexAdvisorSqlite from "../../layers/database/IndexAdvisorSqlite.ts"
import type { Counting } from "../../layers/database/TableVersionsBinding.ts"
import type { Advice, DatabaseDescription, RecordedStatement } from "../../services/database/IndexAdvisor.ts"
import {
  begun,
  ended,
  noWrites,
  stateOf,
  type WriteCounters,
  withoutOverdue
} from "../../services/database/model/WriteCounters.ts"
import type { TableNames, TablesState } from "../../services/database/TableVersions.ts"

/** Thrown to take a transaction back. */
class Rollback extends Error {}

const run = Runtime.runPromise(LoggerJson.runtime)

const countersKey = "writes"

/** What a database needs an object for: counters of its writes, and a SQLite to try indexes in, of which nothing is kept. */
export class DatabaseDurableObject<Env = unknown> extends DurableObject<Env> implements Counting {
  #counters: WriteCounters = this.ctx.storage.kv.get<WriteCounters>(countersKey) ?? noWrites

  async versions(tables: TableNames): Promise<TablesState> {
    this.#keep(withoutOverdue(this.#counters, Date.now()))
    return stateOf(this.#counters, tables)
  }

  async beginWrite(id: string, tables: TableNames): Promise<void> {
    this.#keep(begun(this.#counters, id, tables, Date.now()))
  }

  async endWrite(id: string): Promise<void> {
    this.#keep(ended(this.#counters, id))
  }

  /** Written before the answer leaves: the platform holds it back until then. */
  #keep(counters: WriteCounters): void {
    if (counters === this.#counters) return
    this.#counters = counters
    this.ctx.storage.kv.put(countersKey, counters)
  }

  async advise(
    database: DatabaseDescription,
    statements: ReadonlyArray<RecordedStatement>,
    days: number
  ): Promise<ReadonlyArray<Advice>> {
    return run(IndexAdvisorSqlite.make(sandboxOf(this.ctx.storage)).advise(database, statements, days))
  }
}

const sandboxOf = (storage: DurableObjectStorage): IndexAdvisorSqlite.Sandbox => ({
  exec: (sql, ...bound) => storage.sql.exec(sql, ...bound).toArray(),
  rolledBack: (work) => {
    let done: { readonly result: ReturnType<typeof work> } | undefined
    try {
      storage.transactionSync(() => {
        done = { result: work() }
        throw new Rollback()
      })
    } catch (error) {
      if (!(error instanceof Rollback)) throw error
    }
    return done!.result
  }
})
