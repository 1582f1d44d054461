import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DatabaseError } from "../../services/database/QueryCache.ts"
import { namesOf, type TableNames, type TablesState, TableVersions } from "../../services/database/TableVersions.ts"

/** The object's RPC. */
export interface Counting {
  readonly versions: (tables: TableNames) => Promise<TablesState>
  readonly beginWrite: (id: string, tables: TableNames) => Promise<void>
  readonly endWrite: (id: string) => Promise<void>
}

const asking = <A>(operation: DatabaseError["operation"], ask: () => Promise<A>): Effect.Effect<A, DatabaseError> =>
  Effect.tryPromise({ try: ask, catch: (cause) => new DatabaseError({ operation, reason: "Failed", cause }) })

/** Counters in an object: a request for each strict read, and two with a row each for a write. */
export const make = (object: () => Counting): Context.Tag.Service<TableVersions> => ({
  enabled: true,
  read: (tables) => asking("read", () => object().versions(namesOf(tables))),
  begin: (tables) => {
    const id = crypto.randomUUID()
    return Effect.as(
      asking("write", () => object().beginWrite(id, namesOf(tables))),
      id
    )
  },
  end: (id) => asking("write", () => object().endWrite(id))
})

export const layer = (namespace: DurableObjectNamespace): Layer.Layer<TableVersions> =>
  Layer.sync(TableVersions, () => make(() => namespace.getByName("database") as unknown as Counting))
