import { createHash } from "node:crypto"
import type { Entry } from "./Entry.ts"

const entityTags = new WeakMap<object, string>()

/** The strong validator of an entry: 128 bits of SHA-256 over its type and its bytes, computed once per object. */
export const entityTag = (entry: Pick<Entry, "contentType" | "value">): string => {
  const known = entityTags.get(entry)
  if (known !== undefined) return known
  const digest = createHash("sha256").update(entry.contentType).update("\n").update(entry.value).digest()
  const tag = `"${digest.subarray(0, 16).toString("base64url")}"`
  entityTags.set(entry, tag)
  return tag
}
