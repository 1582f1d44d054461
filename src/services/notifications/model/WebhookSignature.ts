const encoder = new TextEncoder()

/** What a secret says of itself: `whsec_` and its bytes in base64. */
const prefix = "whsec_"

/** Keys of the specification's length. */
const keyBytes = { least: 24, most: 64 }

/**
 * The bytes of a secret: those in base64 after `whsec_`, 24 to 64 of them, else its own in UTF-8. Undefined for a
 * `whsec_` that is not of that form.
 */
export const webhookKeyOf = (secret: string): Uint8Array | undefined => {
  if (!secret.startsWith(prefix)) return encoder.encode(secret)
  try {
    const bytes = Uint8Array.from(atob(secret.slice(prefix.length)), (character) => character.charCodeAt(0))
    return bytes.length >= keyBytes.least && bytes.length <= keyBytes.most ? bytes : undefined
  } catch {
    return undefined
  }
}

/**
 * The headers that sign a message, as in Standard Webhooks 1.0: HMAC-SHA256 of `id.seconds.body` in base64, once under
 * every key, so that a receiver may know either while one replaces the other. A receiver works out the same, compares
 * in constant time, and refuses a timestamp that is minutes old.
 *
 * @param id the same for every attempt; it has no dot
 * @param seconds since the epoch, of this attempt
 */
export const webhookHeaders = async (
  keys: ReadonlyArray<Uint8Array>,
  id: string,
  body: string,
  seconds: number
): Promise<{ readonly [name: string]: string }> => {
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  const signed = encoder.encode(`${id}.${seconds}.${body}`)
  const signatures = await Promise.all(
    keys.map(async (bytes) => {
      const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"])
      const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed))
      return `v1,${btoa(String.fromCharCode(...signature))}`
    })
  )
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.join(" ")
  }
}
