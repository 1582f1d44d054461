/** Milliseconds of a day. */
export const dayMillis = 86_400_000

/** The UTC day of a moment (milliseconds since the epoch), counted from 1970. */
export const dayOf = (at: number): number => Math.floor(at / dayMillis)

/** Its date, `YYYY-MM-DD`. */
export const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
