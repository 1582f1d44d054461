import * as Effect from "effect/Effect"
import { FileCatalogError } from "../../../services/files/FileCatalog.ts"

/** The part of a D1 binding that is used. */
export type Database = Pick<D1Database, "prepare" | "batch">

/** Runs a query, or says that there is no database. */
export const asking = <A>(
  database: Database | undefined,
  operation: string,
  ask: (database: Database) => Promise<A>
): Effect.Effect<A, FileCatalogError> =>
  database === undefined
    ? Effect.fail(new FileCatalogError({ operation, reason: "NotBound" }))
    : Effect.tryPromise({
        try: () => ask(database),
        catch: (cause) =>
          cause instanceof FileCatalogError
            ? cause
            : new FileCatalogError({
                operation,
                reason: /no such (table|column)/.test(String(cause)) ? "NotMigrated" : "Unavailable",
                cause
              })
      })
