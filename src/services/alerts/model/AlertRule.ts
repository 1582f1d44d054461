import * as Schema from "effect/Schema"
import { optional } from "../../base/model/ExactOptional.ts"
import * as TypedCollection from "../../repository/model/TypedCollection.ts"
import * as declared from "./AlertCollections.ts"

const price = Schema.Number.pipe(
  Schema.finite(),
  Schema.greaterThan(0, { message: () => "a price is above 0" }),
  Schema.lessThanOrEqualTo(1e9, { message: () => "a price is at most 1,000,000,000" })
)

const whole = (low: number, high: number, unit: string) =>
  Schema.Int.pipe(Schema.between(low, high, { message: () => `must be a whole number of ${unit}, ${low} to ${high}` }))

/** What a rule waits for. */
export const AlertCondition = Schema.Union(
  Schema.Struct({ kind: Schema.Literal("price-above"), price }),
  Schema.Struct({ kind: Schema.Literal("price-below"), price }),
  Schema.Struct({
    kind: Schema.Literal("percent-change"),
    percent: Schema.Number.pipe(
      Schema.filter((percent) => Math.abs(percent) >= 0.01 && percent > -100 && percent <= 1000, {
        message: () => "must be 0.01 to 1,000 for a rise, or -0.01 to above -100 for a fall"
      })
    ).annotations({ description: "at least this rise within the window; a fall when negative" }),
    windowMinutes: whole(5, 1440, "minutes")
  }),
  Schema.Struct({
    kind: Schema.Literal("crosses-average"),
    direction: Schema.Literal("above", "below"),
    days: whole(2, 200, "trading days").annotations({ description: "simple moving average of so many daily closes" })
  })
).annotations({ identifier: "AlertCondition" })

export type AlertCondition = Schema.Schema.Type<typeof AlertCondition>

/** What a client says of a rule when it makes one. */
export const alertTerms = {
  symbol: Schema.String.pipe(Schema.pattern(/^[A-Z][A-Z0-9.-]{0,11}$/)),
  condition: AlertCondition,
  /** Seconds between two firings, at least. */
  cooldownSeconds: whole(0, 604_800, "seconds"),
  /**
   * How far the price must go back behind the threshold before the rule can fire again: percent of the threshold or
   * average; for `percent-change`, percentage points.
   */
  hysteresisPercent: Schema.Number.pipe(Schema.between(0, 50, { message: () => "must be 0 to 50" })),
  enabled: Schema.Boolean,
  /** Where a firing is posted to; without it, only the state tells. */
  webhook: optional(Schema.String.pipe(Schema.maxLength(2048)))
}

export const AlertRule = Schema.Struct({
  id: Schema.UUID,
  ...alertTerms,
  /** Milliseconds since the epoch. */
  createdAt: Schema.Int,
  /** When the webhook's receiver said that it is gone (410), in milliseconds since the epoch: it is told no more. */
  webhookGoneAt: optional(Schema.Int)
}).annotations({ identifier: "AlertRule" })

export interface AlertRule extends Schema.Schema.Type<typeof AlertRule> {}

/** Who is told of a firing; undefined for nobody. */
export const receiverOfRule = ({ webhook, webhookGoneAt }: AlertRule): string | undefined =>
  webhookGoneAt === undefined ? webhook : undefined

/** The rules by id. Kept for ever, and never served from before the last change. */
export const alertRules = TypedCollection.make({
  ...declared.alertRules,
  key: Schema.UUID,
  value: AlertRule
})
