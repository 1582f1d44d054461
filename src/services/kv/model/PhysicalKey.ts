import { createHash } from "node:crypto"
import { isLegalKey } from "../Kv.ts"

/**
 * Where an entry lies in KV. The collection `default` is the namespace itself: its keys stand there as they are, so
 * that a namespace filled without Larder reads through it unchanged. Every other collection lies under `~name/`.
 * A key of `default` that begins with `~` moves to `~default/`, which keeps the mapping injective; a key that would
 * be over KV's 512 bytes is replaced by `~name/#` and its SHA-256, and so is one that begins with `#`.
 */
export const physicalKey = (collection: string, key: string): string => {
  if (collection === "default" && isPlain(key)) return key
  const plain = `~${collection}/${key}`
  return key.startsWith("#") || !isLegalKey(plain) ? `~${collection}/#${sha256(key)}` : plain
}

/** Whether the physical key holds a hash in place of the key, so that the original must be kept inside the entry. */
export const isHashed = (physical: string): boolean => {
  if (!physical.startsWith("~")) return false
  const slash = physical.indexOf("/")
  return slash !== -1 && physical[slash + 1] === "#"
}

/** The collection and key behind a physical key (`key` is undefined when hashed), or undefined for Larder's own keys. */
export const logicalKey = (
  physical: string
): { readonly collection: string; readonly key: string | undefined } | undefined => {
  if (!physical.startsWith("~")) return { collection: "default", key: physical }
  const slash = physical.indexOf("/")
  if (slash < 2 || physical[1] === "~") return undefined
  return {
    collection: physical.slice(1, slash),
    key: physical[slash + 1] === "#" ? undefined : physical.slice(slash + 1)
  }
}

/** Where Larder keeps the moment a tag was last invalidated, by the tag's hash. `~~` cannot begin a collection's prefix. */
export const markKey = (hash: string): string => `~~mark/${hash}`

/** Where versions before the hashes kept it, and where it still counts for what they wrote. */
export const tagKey = (tag: string): string => {
  const plain = `~~tag/${tag}`
  return isLegalKey(plain) && !tag.startsWith("#") ? plain : `~~tag/#${sha256(tag)}`
}

/** Where a packed collection's root lies, and with a name its other pages. No collection's name has a `/`. */
export const pageKey = (collection: string, name = ""): string => `~~page/${collection}/${name}`

/** The packed collection whose page lies under the physical key, and the page's name, "" for the root. */
export const pageBehind = (physical: string): { readonly collection: string; readonly name: string } | undefined => {
  if (!physical.startsWith("~~page/")) return undefined
  const [, collection, name] = physical.split("/")
  return collection === undefined || name === undefined ? undefined : { collection, name }
}

/** The key the self-test writes and deletes. */
export const selfTestKey = "~~self-test"

/** The key of the settings that were changed at run time, in KV mode. */
export const runtimeSettingsKey = "~~settings"

const isPlain = (key: string): boolean => !key.startsWith("~") && isLegalKey(key)

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url")
