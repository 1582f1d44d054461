import * as Schema from "effect/Schema"
import * as TypedCollection from "../../repository/model/TypedCollection.ts"
import * as declared from "./AlertCollections.ts"

/** A notification that nobody took. */
export const DeadLetter = Schema.Struct({
  /** Its idempotency key. */
  key: Schema.NonEmptyString,
  ruleId: Schema.String,
  target: Schema.String,
  /** The body, as it was sent. */
  body: Schema.String,
  firedAt: Schema.Int.annotations({ description: "milliseconds since the epoch" }),
  givenUpAt: Schema.Int.annotations({ description: "milliseconds since the epoch" }),
  attempts: Schema.Int.annotations({ description: "sweeps that took it on" }),
  reason: Schema.String.annotations({ description: "of the last failure" })
}).annotations({ identifier: "DeadLetter" })

export interface DeadLetter extends Schema.Schema.Type<typeof DeadLetter> {}

/** Dead letters by idempotency key, for 30 days. */
export const deadLetters = TypedCollection.make({
  ...declared.deadLetters,
  key: Schema.NonEmptyString,
  value: DeadLetter
})
