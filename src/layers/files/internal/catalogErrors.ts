import * as Effect from "effect/Effect"
import type { DatabaseError } from "../../../services/database/QueryCache.ts"
import { FileCatalogError } from "../../../services/files/FileCatalog.ts"

/** What the database says, as a failure of an operation of the catalogue. */
export const inCatalog = <A>(
  operation: string,
  effect: Effect.Effect<A, DatabaseError | FileCatalogError>
): Effect.Effect<A, FileCatalogError> =>
  Effect.mapError(effect, (error) =>
    error._tag === "FileCatalogError"
      ? error
      : new FileCatalogError({
          operation,
          reason: error.reason === "Failed" ? "Unavailable" : error.reason,
          cause: error.cause
        })
  )
