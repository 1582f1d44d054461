import type { Entry } from "./Entry.ts"

/** Bytes that tags take of an isolate's memory, and, roughly, where they are stored. */
export const tagBytes = (tags: ReadonlyArray<string>): number => {
  let bytes = 0
  for (const tag of tags) bytes += 2 * tag.length + 16
  return bytes
}

/** Bytes of an entry's value and its tags, which may come to 64 KB: what every bound on bytes counts. */
export const bytesOf = (entry: Pick<Entry, "value" | "tags"> | undefined): number =>
  entry === undefined ? 0 : entry.value.byteLength + tagBytes(entry.tags)
