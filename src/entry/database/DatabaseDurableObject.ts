import { DurableObject } from "cloudflare:workers"
import * as Effect from "effect/Effect"
import * as IndexAdvisorSqlite from "../../layers/database/IndexAdvisorSqlite.ts"
import type { Advice, DatabaseDescription, RecordedStatement } from "../../services/database/IndexAdvisor.ts"

/** Thrown to take a transaction back. */
class Rollback extends Error {}

/** What a database needs an object for: a SQLite to try indexes in. It keeps nothing of what is tried. */
export class DatabaseDurableObject<Env = unknown> extends DurableObject<Env> {
  async advise(
    database: DatabaseDescription,
    statements: ReadonlyArray<RecordedStatement>
  ): Promise<ReadonlyArray<Advice>> {
    return Effect.runPromise(IndexAdvisorSqlite.make(sandboxOf(this.ctx.storage)).advise(database, statements))
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
