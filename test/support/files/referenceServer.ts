import type { ObjectInfo } from "../../../src/services/files/ObjectStore.ts"

export interface Reference {
  readonly status: number
  readonly coding: "identity" | "gzip"
  readonly etag: string
  readonly size: number
  readonly slice: { readonly offset: number; readonly length: number } | undefined
}

/**
 * A plain server of one object, written from the text of RFC 9110 alone, byte by byte and step by step, and without
 * anything of ours: what may be read, and under which conditions.
 */
export const referenceAnswer = (
  object: ObjectInfo,
  method: "GET" | "HEAD",
  headers: Headers,
  acceptEncoding: string | undefined,
  now: number
): Reference => {
  const get = (name: string): string | undefined => headers.get(name) ?? undefined
  const range = method === "GET" ? get("Range") : undefined
  const numbers = range?.toLowerCase().startsWith("bytes=") ? range.slice(6).split("-") : []
  const digits = (text: string) => [...text].every((c) => c >= "0" && c <= "9")
  const isRange =
    numbers.length === 2 &&
    numbers.every(digits) &&
    (numbers[0] !== "" || numbers[1] !== "") &&
    (numbers[0] === "" || numbers[1] === "" || BigInt(numbers[1]!) >= BigInt(numbers[0]!))

  const gzipTag = `"${object.etag}-gzip"`
  const gzipChosen =
    object.coding === "gzip" && accepts(acceptEncoding) && (!isRange || get("If-Range")?.trim() === gzipTag)
  const etag = gzipChosen ? gzipTag : `"${object.etag}"`
  const size = gzipChosen ? object.storedBytes : object.bytes
  const reply = (status: number, slice?: Reference["slice"]): Reference => ({
    status,
    coding: gzipChosen ? "gzip" : "identity",
    etag,
    size,
    slice
  })

  const modified = object.uploadedAt - (object.uploadedAt % 1000)
  // 13.2.2, steps 1 to 4.
  const ifMatch = get("If-Match")
  if (ifMatch !== undefined) {
    if (ifMatch !== "*" && !list(ifMatch).includes(etag)) return reply(412)
  } else {
    const since = dateOf(get("If-Unmodified-Since"))
    if (since !== undefined && modified > since) return reply(412)
  }
  const ifNoneMatch = get("If-None-Match")
  if (ifNoneMatch !== undefined) {
    const opaque = (text: string) => (text.startsWith("W/") ? text.slice(2) : text)
    if (ifNoneMatch === "*" || list(ifNoneMatch).map(opaque).includes(etag)) return reply(304)
  } else {
    const since = dateOf(get("If-Modified-Since"))
    if (since !== undefined && modified <= since) return reply(304)
  }
  // Step 5, and 14.2.
  const whole = { offset: 0, length: size }
  if (!isRange) return reply(200, whole)
  const ifRange = get("If-Range")
  if (ifRange !== undefined) {
    const isTag = ifRange.includes('"')
    if (isTag && ifRange.trim() !== etag) return reply(200, whole)
    if (!isTag && (dateOf(ifRange) !== modified || now - modified < 1000)) return reply(200, whole)
  }
  const [first, last] = numbers as [string, string]
  const total = BigInt(size)
  if (first === "") {
    if (BigInt(last) === 0n) return reply(416)
    if (size === 0) return reply(200, whole)
    const length = BigInt(last) > total ? total : BigInt(last)
    return reply(206, { offset: Number(total - length), length: Number(length) })
  }
  if (BigInt(first) >= total) return reply(416)
  const end = last === "" || BigInt(last) >= total ? total - 1n : BigInt(last)
  return reply(206, { offset: Number(first), length: Number(end - BigInt(first) + 1n) })
}

const accepts = (header: string | undefined): boolean => {
  switch (header) {
    case "gzip":
    case "*":
    case "gzip, br":
      return true
    default:
      return false
  }
}

const list = (header: string): ReadonlyArray<string> =>
  header
    .split(",")
    .map((text) => text.trim())
    .filter((text) => /^(W\/)?"[^"]*"$/.test(text))

const dateOf = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)) return undefined
  return Date.parse(text)
}
