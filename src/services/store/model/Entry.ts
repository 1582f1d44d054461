/**
 * Orders writes to one key. `wall` is the writer's clock in milliseconds, `counter` tells writes of one millisecond
 * apart, `writer` breaks the tie between writers.
 */
export interface Stamp {
  readonly wall: number
  readonly counter: number
  readonly writer: string
}

/** The version of a key that Larder never wrote: below every other. */
export const zeroStamp: Stamp = { wall: 0, counter: 0, writer: "" }

/** Negative when `a` is older than `b`, 0 when they are the same write. */
export const compareStamps = (a: Stamp, b: Stamp): number =>
  a.wall - b.wall || a.counter - b.counter || (a.writer < b.writer ? -1 : a.writer > b.writer ? 1 : 0)

/**
 * One stored value and what Larder knows of it. Every tier shares the bytes, so nobody changes them: a caller that wants to
 * copies them first, as the facade does with all that it takes and gives.
 */
export interface Entry {
  readonly value: Readonly<Uint8Array>
  readonly contentType: string
  readonly tags: ReadonlyArray<string>
  readonly stamp: Stamp
  /** Milliseconds since the epoch after which it is no longer an answer; `Infinity` for never. */
  readonly expiresAt: number
  /** Milliseconds its loader took, the cost of making it again; 0 for a value that was put. */
  readonly loadMillis: number
  /** What a KV namespace keeps beside the value, as JSON has it; left out where there is none, or it is Larder's own. */
  readonly metadata?: unknown
}

/**
 * The tag that every id of a collection carries without being told: what invalidates it clears the collection. No tag
 * of a user begins with a control character.
 */
export const collectionTag = (id: string): string => `\u0000${id.slice(0, id.indexOf("/") + 1)}`

export const isCollectionTag = (tag: string): boolean => tag.startsWith("\u0000")

/**
 * Whether one of an entry's tags was invalidated after the entry was written.
 *
 * @param id where marks may be those of a cleared collection
 */
export const isInvalidated = (
  entry: Pick<Entry, "tags" | "stamp">,
  marks: ReadonlyMap<string, Stamp>,
  id?: string
): boolean => {
  const isLater = (tag: string): boolean => {
    const mark = marks.get(tag)
    return mark !== undefined && compareStamps(entry.stamp, mark) < 0
  }
  return entry.tags.some(isLater) || (id !== undefined && isLater(collectionTag(id)))
}

/** What the authoritative tier said of a key at one moment: an entry, or `undefined` for "there is none". */
export interface Observation {
  readonly entry: Entry | undefined
  /** Milliseconds since the epoch when the authoritative tier gave this answer; every tier's ttl counts from here. */
  readonly readAt: number
  /** Uniform in [0, 1), drawn with the answer: by how much of its collection's jitter its ttls are shortened. */
  readonly draw?: number
  /** Set on an absence that a loader, too, could not fill: it answers `getOrLoad` as well as `get`. */
  readonly final?: true
}

/** The content type of an entry that came without one. */
export const defaultContentType = "application/octet-stream"
