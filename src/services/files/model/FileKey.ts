import { createHash } from "node:crypto"

/** Bytes of a file's name in UTF-8: room for the owner in front of it, and for R2's own limit. */
export const maxKeyBytes = 512

const encoder = new TextEncoder()

/** The rule that a name breaks, in words; undefined for one that a file can have. */
export const brokenKeyRule = (key: string): string | undefined => {
  if (key === "") return "a name must not be empty"
  if (!key.isWellFormed()) return "a name must be well-formed Unicode"
  const bytes = encoder.encode(key).byteLength
  if (bytes > maxKeyBytes) return `a name holds at most ${maxKeyBytes} bytes of UTF-8, and this one ${bytes}`
  if (/[\p{Cc}\\]/u.test(key)) return "a name holds no control character and no backslash"
  for (const segment of key.split("/")) {
    if (segment === "") return "a name has no empty segment: it neither begins nor ends with /, nor holds //"
    if (segment === "." || segment === "..") return "a name has no segment . or .."
  }
  return undefined
}

/** An API key as it is known here: nothing that is stored reveals the key. */
export const userIdOf = (apiKey: string): string => createHash("sha256").update(apiKey).digest("hex").slice(0, 32)

/** The key of a file's object. */
export const objectKeyOf = (owner: string, key: string): string => `${owner}/${key}`

export const tokenIdOf = (token: string): string => createHash("sha256").update(token).digest("hex")
