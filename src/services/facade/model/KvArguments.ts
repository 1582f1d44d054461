import { isLegalKey, limits, utf8Bytes } from "../../kv/Kv.ts"

/**
 * The arguments of a `KVNamespace` as the facade understands them. `undefined` everywhere means "not plainly valid":
 * such a call goes to the platform unchanged, so that it is coerced, refused and worded there.
 */
export type ValueType = "text" | "json" | "arrayBuffer" | "stream"

export interface GetArguments {
  readonly type: ValueType
  /** Whole seconds, at least 30; undefined where the caller names none. */
  readonly cacheTtl: number | undefined
}

export interface PutArguments {
  /** A copy: a caller may change its buffer afterwards. */
  readonly bytes: Uint8Array
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly expiresAt: number
  /** As JSON gives it back; null for none. */
  readonly metadata: unknown
}

export interface ListArguments {
  readonly prefix: string
  readonly limit: number
  readonly cursor: string | undefined
}

const types: ReadonlySet<unknown> = new Set(["text", "json", "arrayBuffer", "stream"])

const maxInt32 = 2 ** 31 - 1

const encoder = new TextEncoder()

export const isKey = (key: unknown): key is string => typeof key === "string" && isLegalKey(key)

/** @param options of `get` or `getWithMetadata`: a type, an object, or nothing */
export const getArguments = (options: unknown): GetArguments | undefined => {
  if (options === undefined || options === null) return { type: "text", cacheTtl: undefined }
  if (typeof options === "string")
    return types.has(options) ? { type: options as ValueType, cacheTtl: undefined } : undefined
  if (typeof options !== "object") return undefined
  const { cacheTtl, type = "text" } = options as { readonly cacheTtl?: unknown; readonly type?: unknown }
  if (!types.has(type)) return undefined
  if (cacheTtl === undefined) return { type: type as ValueType, cacheTtl: undefined }
  if (typeof cacheTtl !== "number" || !(cacheTtl >= limits.minCacheTtl && cacheTtl <= maxInt32)) return undefined
  return { type: type as ValueType, cacheTtl: Math.floor(cacheTtl) }
}

/** @param keys of a bulk get; duplicates collapse */
export const bulkKeys = (keys: ReadonlyArray<unknown>): ReadonlyArray<string> | undefined => {
  if (keys.length === 0 || keys.length > limits.bulkKeys || !keys.every(isKey)) return undefined
  return [...new Set(keys)]
}

/** @param now milliseconds since the epoch */
export const putArguments = (value: unknown, options: unknown, now: number): PutArguments | undefined => {
  const bytes = bytesOf(value)
  if (bytes === undefined || bytes.byteLength > limits.valueBytes) return undefined
  if (options === undefined || options === null) return { bytes, expiresAt: Number.POSITIVE_INFINITY, metadata: null }
  if (typeof options !== "object") return undefined
  const { expiration, expirationTtl, metadata } = options as { readonly [K in string]?: unknown }
  const expiresAt = expiresAtOf(expiration, expirationTtl, now)
  const kept = metadataOf(metadata)
  return expiresAt === undefined || kept === undefined ? undefined : { bytes, expiresAt, metadata: kept.value }
}

export const listArguments = (options: unknown): ListArguments | undefined => {
  if (options === undefined || options === null) return { prefix: "", limit: limits.listKeys, cursor: undefined }
  if (typeof options !== "object") return undefined
  const { cursor, limit, prefix } = options as { readonly [K in string]?: unknown }
  if (prefix !== undefined && prefix !== null && typeof prefix !== "string") return undefined
  if (cursor !== undefined && cursor !== null && typeof cursor !== "string") return undefined
  if (limit !== undefined && limit !== null && !(Number.isInteger(limit) && (limit as number) <= limits.listKeys)) {
    return undefined
  }
  const most = typeof limit === "number" && limit > 0 ? limit : limits.listKeys
  return { prefix: prefix ?? "", limit: most, cursor: cursor || undefined }
}

const bytesOf = (value: unknown): Uint8Array | undefined => {
  if (typeof value === "string") return encoder.encode(value)
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0))
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice()
  return undefined
}

/** The ttl wins, as on the platform, which reads both as whole seconds. */
const expiresAtOf = (expiration: unknown, expirationTtl: unknown, now: number): number | undefined => {
  if (expirationTtl !== undefined) {
    if (typeof expirationTtl !== "number" || !(expirationTtl >= limits.minExpirationTtl && expirationTtl <= maxInt32)) {
      return undefined
    }
    return (Math.floor(now / 1000) + Math.floor(expirationTtl)) * 1000
  }
  if (expiration === undefined) return Number.POSITIVE_INFINITY
  if (typeof expiration !== "number" || !(expiration <= maxInt32)) return undefined
  return Math.floor(expiration) * 1000 >= now + limits.minExpirationTtl * 1000
    ? Math.floor(expiration) * 1000
    : undefined
}

const metadataOf = (metadata: unknown): { readonly value: unknown } | undefined => {
  if (metadata === undefined || metadata === null) return { value: null }
  let text: string | undefined
  try {
    text = JSON.stringify(metadata)
  } catch {
    return undefined
  }
  return text === undefined || utf8Bytes(text) > limits.metadataBytes ? undefined : { value: JSON.parse(text) }
}
