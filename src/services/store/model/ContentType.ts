import { defaultContentType } from "./Entry.ts"
import { codingOf } from "./ValueCoding.ts"

export const maxContentTypeCharacters = 255

/** `type/subtype` and parameters, in characters that a header may hold: no control character, nothing beyond ASCII. */
const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[\t ]*(;[\t\x20-\x7e]*)?$/

/** The rule that a content type breaks, in words; undefined for one that a header can carry. */
export const brokenContentTypeRule = (text: string): string | undefined =>
  text.length <= maxContentTypeCharacters && mediaType.test(text)
    ? undefined
    : `Content-Type is \`type/subtype\`, at most ${maxContentTypeCharacters} characters of printable ASCII`

/** The type that an entry is served under: its own, or plain bytes where no header can carry that. */
export const servableContentType = (text: unknown): string =>
  typeof text === "string" && brokenContentTypeRule(codingOf(text)?.contentType ?? text) === undefined
    ? text
    : defaultContentType
