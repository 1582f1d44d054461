import { createHash, createHmac } from "node:crypto"

/** One request as it is signed (AWS Signature Version 4, query form, unsigned payload). */
export interface Signable {
  readonly method: string
  /** Percent-encoded. */
  readonly path: string
  /** Percent-encoded, in order, without the signature. */
  readonly query: string
  /** Names in lower case, in order. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
}

/** Percent-encoding of RFC 3986: `encodeURIComponent` leaves five characters that S3 encodes. */
export const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

export const encodedPath = (key: string): string => key.split("/").map(encoded).join("/")

/** `20261127T101500Z`. */
export const amzDate = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`

export const scopeOf = (date: string, region: string): string => `${date.slice(0, 8)}/${region}/s3/aws4_request`

const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac("sha256", key).update(text).digest()

/** The key of a day, region and service: the same for every link of that day. */
export const signingKey = (secret: string, date: string, region: string): Buffer =>
  hmac(hmac(hmac(hmac(`AWS4${secret}`, date.slice(0, 8)), region), "s3"), "aws4_request")

export const signatureOf = (request: Signable, key: Uint8Array, date: string, region: string): string => {
  const headers = request.headers.map(([name, value]) => `${name}:${value}\n`).join("")
  const signed = request.headers.map(([name]) => name).join(";")
  const canonical = `${request.method}\n${request.path}\n${request.query}\n${headers}\n${signed}\nUNSIGNED-PAYLOAD`
  const digest = createHash("sha256").update(canonical).digest("hex")
  return createHmac("sha256", key)
    .update(`AWS4-HMAC-SHA256\n${date}\n${scopeOf(date, region)}\n${digest}`)
    .digest("hex")
}
