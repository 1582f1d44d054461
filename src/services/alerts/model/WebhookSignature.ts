const encoder = new TextEncoder()

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("")

/**
 * The value of the header `Larder-Signature`: `t=<seconds since the epoch>,v1=<hex>`, where `v1` is HMAC-SHA256 under
 * the shared secret of the seconds, a dot, and the body's bytes. A receiver works it out itself, compares in constant
 * time, and refuses an old `t`.
 */
export const signatureOf = async (secret: string, body: string, seconds: number): Promise<string> => {
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"])
  return `t=${seconds},v1=${hex(await crypto.subtle.sign("HMAC", key, encoder.encode(`${seconds}.${body}`)))}`
}
