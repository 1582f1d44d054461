import { shortHashOf } from "../../base/model/Hash.ts"
import type { Stamp } from "./Entry.ts"

/** Tags that an entry may carry, and characters that one may have. */
export const maxTags = 128

export const maxTagCharacters = 256

/** The rule that the tags of an entry break, in words; undefined for those that it may carry. */
export const brokenTagsRule = (tags: ReadonlyArray<string>): string | undefined => {
  if (new Set(tags).size > maxTags) return `an entry has at most ${maxTags} tags`
  const broken = tags.some(
    (tag) => tag === "" || tag.length > maxTagCharacters || !tag.isWellFormed() || /[,\p{Cc}]/u.test(tag)
  )
  return broken
    ? `a tag has 1 to ${maxTagCharacters} characters, none of them a comma or a control character`
    : undefined
}

/** What a hashed tag begins with; no tag of a user does. */
const hashSign = "\u0002"

/** Characters of a hash, each of six bits: of 100,000 tags no two are likely to have the same. */
export const tagHashCharacters = 6

/**
 * A tag as it is kept where its text has no room. Two tags of one hash are one there: each invalidation ends what
 * carries either.
 */
export const hashedTag = (tag: string): string => (isHashedTag(tag) ? tag : hashSign + shortHashOf(tag))

export const isHashedTag = (tag: string): boolean => tag.startsWith(hashSign)

export const hashOfTag = (tag: string): string => hashedTag(tag).slice(hashSign.length)

export const tagOfHash = (hash: string): string => hashSign + hash

/** The tags whose text is known. */
export const namedTags = (tags: ReadonlyArray<string>): ReadonlyArray<string> => tags.filter((tag) => tag >= " ")

/** Whether two entries carry the same tags, whichever of them has hashes. */
export const areSameTags = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean => {
  if (a.length !== b.length) return false
  if (a.every((tag) => b.includes(tag))) return true
  const hashes = new Set(b.map(hashedTag))
  return [...a, ...b].some(isHashedTag) && a.every((tag) => hashes.has(hashedTag(tag)))
}

/**
 * How the writers of this version begin. Versions before it kept the mark of a tag in KV under the tag's text, which
 * counts for entries of their writers alone: what a later one wrote is later than any such mark.
 */
export const writerSign = "~"

export const mayHaveOlderMarks = ({ writer }: Stamp): boolean => !writer.startsWith(writerSign)
