/**
 * Words in little room: each is an upper-case letter, for how many letters of the word before it are dropped (A: none),
 * and what is then added. Sorted words share most of their beginnings, and a compressor sees the endings repeat.
 */
const none = "A".charCodeAt(0)

/** @throws RangeError where a word holds upper-case letters, or more than 25 letters are dropped */
export const frontCoded = (words: ReadonlyArray<string>): string =>
  words
    .map((word, at) => {
      const before = words[at - 1] ?? ""
      let shared = 0
      while (shared < before.length && before[shared] === word[shared]) shared += 1
      const dropped = before.length - shared
      if (dropped > 25 || /[A-Z]/.test(word)) throw new RangeError(`${word} cannot be coded behind ${before}`)
      return String.fromCharCode(none + dropped) + word.slice(shared)
    })
    .join("")

export const wordsOf = (coded: string): ReadonlyArray<string> => {
  let word = ""
  return (coded.match(/[A-Z][^A-Z]*/g) ?? []).map((step) => {
    word = word.slice(0, word.length - step.charCodeAt(0) + none) + step.slice(1)
    return word
  })
}
