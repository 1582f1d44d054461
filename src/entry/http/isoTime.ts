/** The last moment that a Date can hold. */
const endOfTime = 8.64e15

/** A moment in milliseconds since the epoch as ISO 8601; null for never. */
export const isoTime = (millis: number): string | null => (millis <= endOfTime ? new Date(millis).toISOString() : null)
