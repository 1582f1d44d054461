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
