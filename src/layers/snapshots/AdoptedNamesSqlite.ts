import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import { AdoptedNames, rememberedFor } from "../../services/snapshots/AdoptedNames.ts"
import type { MeteredStorage } from "../durable/object/meteredStorage.ts"

/** Names in a table of the object: they survive its restarts. One row written per name, none indexed beside its key. */
export const make = (run: MeteredStorage["run"]): AdoptedNames["Type"] => {
  run("CREATE TABLE IF NOT EXISTS adopted (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID")
  const known = (name: string): boolean => run("SELECT 1 FROM adopted WHERE name = ?", name).length > 0
  return {
    unknown: (names) => names.filter((name) => !known(name)),
    remember: (name, now) => {
      run("DELETE FROM adopted WHERE at < ?", now - Duration.toMillis(rememberedFor))
      run("INSERT INTO adopted (name, at) VALUES (?, ?) ON CONFLICT DO NOTHING", name, now)
    }
  }
}

export const layer = (run: MeteredStorage["run"]): Layer.Layer<AdoptedNames> =>
  Layer.sync(AdoptedNames, () => make(run))
