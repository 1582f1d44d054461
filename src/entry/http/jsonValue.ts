import type { Entry } from "../../services/store/model/Entry.ts"
import { closeBrace, closeBracket, endOfString, JsonText, openBrace, openBracket, quote } from "./jsonText.ts"

/** A value on its way between JSON and bytes. */
export interface Stored {
  readonly value: Uint8Array
  readonly contentType: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const textType = "text/plain; charset=utf-8"
const jsonType = "application/json"

/** Levels of arrays and objects that JSON may have here: more than any value needs, fewer than a stack holds. */
export const maxNesting = 200

/** Whether JSON text is nested too deeply to be handled; looks no further than it must. */
export const isTooDeep = (text: string): boolean => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === quote) at = endOfString(text, at)
    else if (unit === openBracket || unit === openBrace) {
      if (++depth > maxNesting) return true
    } else if (unit === closeBracket || unit === closeBrace) depth -= 1
  }
  return false
}

/** Text is kept as text, every other JSON value as its JSON text, which it keeps where it comes with one. */
export const toStored = (value: unknown): Stored =>
  typeof value === "string"
    ? { value: encoder.encode(value), contentType: textType }
    : { value: encoder.encode(value instanceof JsonText ? value.text : JSON.stringify(value)), contentType: jsonType }

/**
 * The same back: what was put as JSON stands as it was written, other UTF-8 is text. Bytes that are neither, and what is
 * called JSON and is not, or is nested too deeply, come as base64, so that no two entries look alike.
 */
export const fromEntry = ({
  contentType,
  value
}: Entry): { readonly value: string | JsonText } | { readonly base64: string } => {
  try {
    const text = decoder.decode(value)
    if (!/^application\/json\s*(;|$)/i.test(contentType)) return { value: text }
    if (!isTooDeep(text)) {
      JSON.parse(text)
      return { value: new JsonText(text) }
    }
  } catch {
    // Not UTF-8, or not JSON.
  }
  return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") }
}
