import { env } from "cloudflare:test"
import first from "../../../migrations/0001_files.sql?raw"
import second from "../../../migrations/0002_users.sql?raw"
import { statementsOf } from "./statements.ts"

const { DB } = env as unknown as { readonly DB: D1Database }

export { first, second }

/** All migrations, in order. */
export const schema = `${first}\n${second}`

/** The test's database, with the application's tables; the storage is shared by all tests of a run. */
export const migrated = async (): Promise<D1Database> => {
  const { results } = await DB.prepare("SELECT name FROM sqlite_schema WHERE name = 'files'").all()
  if (results.length === 0) await DB.batch(statementsOf(schema).map((statement) => DB.prepare(statement)))
  return DB
}
