import * as Schema from "effect/Schema"

/** A JSON body in which, at whatever depth, a field that nobody would look at is refused: it may be a misspelt one. */
export const jsonBody = <A, I, R>(schema: Schema.Schema<A, I, R>): Schema.Schema<A, I, R> =>
  schema.annotations({ parseOptions: { onExcessProperty: "error" } })

/** A whole number whose refusal says its range, whatever else its description says. */
export const wholeNumber = (low: number, high: number) =>
  Schema.Int.pipe(Schema.between(low, high, { message: () => `must be a whole number from ${low} to ${high}` }))
