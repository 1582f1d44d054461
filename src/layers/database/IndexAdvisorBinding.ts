import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type Advice,
  AdvisorError,
  type DatabaseDescription,
  IndexAdvisor,
  type RecordedStatement
} from "../../services/database/IndexAdvisor.ts"

/** The object's RPC. */
interface Advising {
  readonly advise: (
    database: DatabaseDescription,
    statements: ReadonlyArray<RecordedStatement>,
    days: number
  ) => Promise<ReadonlyArray<Advice>>
}

/** One object for a database: `DatabaseDurableObject`. Without it, there is no advice. */
export const layer = (namespace: DurableObjectNamespace | undefined): Layer.Layer<IndexAdvisor> =>
  Layer.succeed(IndexAdvisor, {
    advise: (database, statements, days) =>
      namespace === undefined
        ? Effect.fail(new AdvisorError({ operation: "advise", reason: "NotBound" }))
        : Effect.tryPromise({
            try: () => (namespace.getByName("database") as unknown as Advising).advise(database, statements, days),
            catch: (cause) => new AdvisorError({ operation: "advise", reason: "Failed", cause })
          })
  })
