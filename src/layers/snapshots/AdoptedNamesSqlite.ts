import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import { AdoptedNames, rememberedFor } from "../../services/snapshots/AdoptedNames.ts"

/** Names in a table of the object: they survive its restarts. One row written per name, none indexed beside its key. */
export const make = (sql: SqlStorage): AdoptedNames["Type"] => {
  sql.exec("CREATE TABLE IF NOT EXISTS adopted (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID")
  const known = (name: string): boolean => sql.exec("SELECT 1 FROM adopted WHERE name = ?", name).toArray().length > 0
  return {
    unknown: (names) => names.filter((name) => !known(name)),
    remember: (name, now) => {
      sql.exec("DELETE FROM adopted WHERE at < ?", now - Duration.toMillis(rememberedFor))
      sql.exec("INSERT INTO adopted (name, at) VALUES (?, ?) ON CONFLICT DO NOTHING", name, now)
    }
  }
}

export const layer = (sql: SqlStorage): Layer.Layer<AdoptedNames> => Layer.sync(AdoptedNames, () => make(sql))
