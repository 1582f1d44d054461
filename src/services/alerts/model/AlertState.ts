import * as Schema from "effect/Schema"
import { optional } from "../../base/model/ExactOptional.ts"
import * as TypedCollection from "../../repository/model/TypedCollection.ts"
import * as declared from "./AlertCollections.ts"

const moment = Schema.Int.annotations({ description: "milliseconds since the epoch" })

/** A notification that has not been acknowledged by its receiver. */
export const PendingNotification = Schema.Struct({
  /** Idempotency key: the same for every attempt. */
  key: Schema.NonEmptyString,
  firedAt: moment,
  /** The price that fired. */
  price: Schema.Number,
  /** What was compared with the threshold: the price, the change in percent. */
  measured: Schema.Number,
  threshold: Schema.Number,
  /** The sweep that is delivering it, or tried to. */
  takenAt: moment,
  /** Sweeps that took it on. */
  attempts: Schema.Int,
  /** Not to be tried before, since the receiver asked for that. */
  notBefore: optional(moment)
})

export interface PendingNotification extends Schema.Schema.Type<typeof PendingNotification> {}

/** What a rule remembers from one sweep to the next. */
export const AlertState = Schema.Struct({
  /** When the rule was last evaluated. */
  evaluatedAt: moment,
  /** When the quote it was evaluated on had traded. */
  quoteAt: moment,
  price: Schema.Number,
  /** Whether it fires when its condition holds: not again before the price went back beyond the hysteresis. */
  armed: Schema.Boolean,
  firings: Schema.Int,
  firedAt: optional(moment),
  /** `percent-change`: prices of the window, oldest first. */
  samples: optional(Schema.Array(Schema.Tuple(moment, Schema.Number))),
  /** `crosses-average`: the average, and the UTC day on which it was worked out. */
  average: optional(Schema.Struct({ value: Schema.Number, day: Schema.String })),
  pending: optional(PendingNotification)
}).annotations({ identifier: "AlertState" })

export interface AlertState extends Schema.Schema.Type<typeof AlertState> {}

/**
 * The states by rule id. Nothing in front of the store of record may answer: a sweep on any isolate must see what the
 * last one left.
 */
export const alertStates = TypedCollection.make({
  ...declared.alertStates,
  key: Schema.UUID,
  value: AlertState
})
