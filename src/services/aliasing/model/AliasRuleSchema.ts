import * as Schema from "effect/Schema"
import { optional } from "../../base/model/ExactOptional.ts"

const place = { segment: optional(Schema.Number), parameter: optional(Schema.String) }

/** One alias rule as `COLLECTIONS` declares it. What the rules mean together is checked when they are compiled. */
export const AliasRule = Schema.Union(
  Schema.Struct({ rule: Schema.Literal("case"), to: Schema.Literal("upper", "lower"), ...place }),
  Schema.Struct({ rule: Schema.Literal("date"), zone: Schema.String, ...place }),
  Schema.Struct({
    rule: Schema.Literal("synonyms"),
    words: Schema.Record({ key: Schema.String, value: Schema.String }),
    ...place
  }),
  Schema.Struct({ rule: Schema.Literal("default"), parameter: Schema.String, value: Schema.String }),
  Schema.Struct({ rule: Schema.Literal("order") }),
  Schema.Struct({ rule: Schema.Literal("pattern"), from: Schema.String, to: Schema.String })
)
