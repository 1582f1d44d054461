import {
  type BulkAnswer,
  isLegalKey,
  type KvEntry,
  KvError,
  type KvOperation,
  type KvPutOptions,
  type KvReason,
  limits,
  utf8Bytes
} from "../Kv.ts"

/** What KV refuses, decided before it is asked, so that every layer refuses alike and in KV's own words. */
const refused = (operation: KvOperation, reason: KvReason, text: string): KvError =>
  new KvError({ operation, reason, cause: new Error(text) })

/** A code unit is three bytes at most, so a short key needs no encoding to be measured. */
const isShortKey = (key: string): boolean =>
  key.length * 3 <= limits.keyBytes && key !== "" && key !== "." && key !== ".." && key.isWellFormed()

export const refusedKey = (operation: KvOperation, key: string): KvError | undefined => {
  if (typeof key !== "string") return refused(operation, "BadKey", `a key is a string, not ${typeof key}`)
  if (isShortKey(key) || isLegalKey(key)) return undefined
  if (key === "") return refused(operation, "BadKey", "Key names must not be empty")
  if (!key.isWellFormed()) return refused(operation, "BadKey", "a key must be well-formed Unicode")
  return key === "." || key === ".."
    ? refused(operation, "BadKey", `Illegal key name "${key}". Please use a different name.`)
    : refused(operation, "BadKey", `UTF-8 encoded length exceeds key length limit of ${limits.keyBytes}.`)
}

const refusedCacheTtl = (operation: KvOperation, seconds: number | undefined): KvError | undefined =>
  seconds === undefined || (Number.isInteger(seconds) && seconds >= limits.minCacheTtl)
    ? undefined
    : refused(
        operation,
        "BadOption",
        `Invalid cache_ttl of ${seconds}. Cache TTL must be at least ${limits.minCacheTtl}.`
      )

export const refusedGet = (key: string, cacheTtl: number | undefined): KvError | undefined =>
  refusedKey("get", key) ?? refusedCacheTtl("get", cacheTtl)

export const refusedBulk = (keys: ReadonlyArray<string>, cacheTtl: number | undefined): KvError | undefined => {
  if (keys.length < 1) return refused("getBulk", "BadOption", "You must request a minimum of 1 key")
  if (keys.length > limits.bulkKeys) {
    return refused("getBulk", "BadOption", `You can request a maximum of ${limits.bulkKeys} keys`)
  }
  for (const key of keys) {
    const error = refusedKey("getBulk", key)
    if (error !== undefined) return error
  }
  return refusedCacheTtl("getBulk", cacheTtl)
}

/** The metadata as the JSON text KV keeps, undefined when there is none, or why the put would be refused. */
export const checkedPut = (key: string, value: Uint8Array, options?: KvPutOptions): string | undefined | KvError => {
  const error = refusedKey("put", key)
  if (error !== undefined) return error
  if (value.byteLength > limits.valueBytes) {
    return refused("put", "TooLarge", `Value length of ${value.byteLength} exceeds limit of ${limits.valueBytes}.`)
  }
  const ttl = options?.expirationTtl
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= limits.minExpirationTtl && ttl <= maxExpirationTtl)) {
    return refused(
      "put",
      "BadOption",
      `Invalid expiration_ttl of ${ttl}. Expiration TTL must be at least ${limits.minExpirationTtl}.`
    )
  }
  if (options?.metadata === undefined) return undefined
  const text = jsonOf(options.metadata)
  if (text === undefined) return refused("put", "BadOption", "the metadata has no JSON form")
  return text.length * 3 > limits.metadataBytes && utf8Bytes(text) > limits.metadataBytes
    ? refused("put", "TooLarge", `Metadata length of ${utf8Bytes(text)} exceeds limit of ${limits.metadataBytes}.`)
    : text
}

export const refusedList = (options?: {
  readonly prefix?: string
  readonly cursor?: string
  readonly limit?: number
}): KvError | undefined => {
  const limit = options?.limit
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= limits.listKeys)) {
    return refused("list", "BadOption", `Invalid key_count_limit of ${limit}. It must be from 1 to ${limits.listKeys}.`)
  }
  const prefix = options?.prefix ?? ""
  return prefix.isWellFormed() && utf8Bytes(prefix) <= limits.keyBytes
    ? undefined
    : refused("list", "BadOption", `a prefix is well-formed Unicode of at most ${limits.keyBytes} bytes`)
}

/** KV reads it as a signed 32-bit integer: 68 years. */
const maxExpirationTtl = 2 ** 31 - 1

const jsonOf = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false })
const encoder = new TextEncoder()

/**
 * The entry as a bulk read carries it, as text: what is not UTF-8 cannot be, and the decoding drops one byte order mark
 * from the front. Measured in workerd 1.20260310.
 */
export const carriedAsText = (entry: KvEntry): BulkAnswer => {
  try {
    const text = decoder.decode(entry.value)
    if (text.startsWith(byteOrderMark)) return "undecodable"
    return startsWithMark(entry.value) ? { ...entry, value: encoder.encode(text) } : entry
  } catch {
    return "undecodable"
  }
}

const byteOrderMark = "\uFEFF"

const startsWithMark = (value: Uint8Array): boolean => value[0] === 0xef && value[1] === 0xbb && value[2] === 0xbf

/** Bytes that one bulk answer may carry. Source: kv/api/read-key-value-pairs, 2026-06-22: "25 MB". */
export const bulkAnswerBytes = 25 * 1024 * 1024

export const bulkAnswerText = "Total size of request exceeds the limit of 25MB"

export const refusedBulkAnswer = (bytes: number): KvError | undefined =>
  bytes <= bulkAnswerBytes ? undefined : refused("getBulk", "TooLarge", bulkAnswerText)
