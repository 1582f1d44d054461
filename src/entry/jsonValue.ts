import type { Entry } from "../services/Entry.ts"

/** A value on its way between JSON and bytes. */
export interface Stored {
  readonly value: Uint8Array
  readonly contentType: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const textType = "text/plain; charset=utf-8"
const jsonType = "application/json"

/** Text is kept as text, every other JSON value as its JSON text. */
export const toStored = (value: unknown): Stored =>
  typeof value === "string"
    ? { value: encoder.encode(value), contentType: textType }
    : { value: encoder.encode(JSON.stringify(value)), contentType: jsonType }

/**
 * The same back: what was put as JSON is parsed, other UTF-8 is text. Bytes that are neither, and a JSON type over what
 * is not JSON, come as base64, so that no two entries look alike.
 */
export const fromEntry = (entry: Entry): { readonly value: unknown } | { readonly base64: string } => {
  try {
    const text = decoder.decode(entry.value)
    return { value: /^application\/json\s*(;|$)/i.test(entry.contentType) ? JSON.parse(text) : text }
  } catch {
    return {
      base64: Buffer.from(entry.value.buffer, entry.value.byteOffset, entry.value.byteLength).toString("base64")
    }
  }
}
