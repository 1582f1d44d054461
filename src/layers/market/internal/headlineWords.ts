/** A word in lower case, a number, or the end of a clause. */
export type HeadlineToken =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "number" }
  | { readonly kind: "end" }

const apostrophes = /[\u2018\u2019\u201b\u02bc\u2032\uff07`\u00b4]/g

/** In this order: a number, an ordinal like `No. 1`, an abbreviation with dots, a word, what ends a clause. */
const parts =
  /(?<number>[$€£]?\d[\d.,]*(?:[%a-z]+)?)|(?<rank>\bno\.?\s*(?=#?\d))|(?<short>\b(?:[a-z]\.){2,}|\b(?:inc|corp|co|ltd|plc|llc|mr|mrs|ms|dr|st|jr|vs|est)\.)|(?<word>\p{L}+(?:'\p{L}+)*)|(?<end>[.!?;:,()[\]|\u2026\u2013\u2014/]|--+|\s-\s)/gu

/** Words that begin a clause of their own. */
const openers = new Set(
  "but as while although though however whereas after before because since amid yet despite when if until".split(" ")
)

/**
 * The words of a headline, whatever quotes, dashes, hyphens and apostrophes stand between them, and where its clauses
 * end. A possessive is its noun: `Apple's` is `apple`. `No. 1` is no word, and neither are initials.
 */
export const tokensOf = (headline: string): ReadonlyArray<HeadlineToken> => {
  const text = headline.normalize("NFKC").replace(apostrophes, "'").toLowerCase()
  const tokens: Array<HeadlineToken> = []
  for (const { groups = {} } of text.matchAll(parts)) {
    if (groups.number !== undefined) tokens.push({ kind: "number" })
    else if (groups.end !== undefined) tokens.push({ kind: "end" })
    else if (groups.word !== undefined) {
      const word = groups.word.replace(/'s$/, "")
      if (openers.has(word)) tokens.push({ kind: "end" })
      tokens.push({ kind: "word", text: word })
    }
  }
  return tokens
}
