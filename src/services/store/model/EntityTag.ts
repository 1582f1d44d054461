import { createHash } from "node:crypto"
import type { Entry } from "./Entry.ts"
import { codingOf } from "./ValueCoding.ts"

const entityTags = new WeakMap<object, string>()

/**
 * The strong validator of an entry: 128 bits of SHA-256 over its type and its bytes as they were given, computed once
 * per object.
 */
export const entityTag = (entry: Pick<Entry, "contentType" | "value">): string => {
  const known = entityTags.get(entry)
  if (known !== undefined) return known
  const tag = codingOf(entry.contentType)?.tag ?? digestOf(entry)
  return rememberTag(entry, `"${tag}"`)
}

/** Spares the computation where the validator is known. */
export const rememberTag = (entry: Pick<Entry, "contentType" | "value">, tag: string): string => {
  entityTags.set(entry, tag)
  return tag
}

/** The validator without quotes, of a value as it was given. */
export const digestOf = ({ contentType, value }: Pick<Entry, "contentType" | "value">): string =>
  createHash("sha256").update(contentType).update("\n").update(value).digest().subarray(0, 16).toString("base64url")
