/** A row takes 2 MB in SQLite (2,000,000 bytes, id, tags and all); what is longer goes on in rows of its own. */
export const partBytes = 1_900_000

/** Rows that a value takes. */
export const partsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / partBytes))
