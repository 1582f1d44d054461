import { type KvEntry, type KvPutOptions, limits, utf8Bytes } from "../../kv/Kv.ts"
import { isHashed } from "../../kv/model/PhysicalKey.ts"
import { servableContentType } from "../../store/model/ContentType.ts"
import { defaultContentType, type Entry, type Stamp, zeroStamp } from "../../store/model/Entry.ts"
import { hashOfTag, isHashedTag, tagHashCharacters, tagOfHash } from "../../store/model/Tags.ts"

/**
 * An entry as KV holds it: the plain value, readable by anyone, and in the metadata, under short names,
 * `l` layout (1: metadata only, 2: metadata in front of the value, for the rare one over KV's 1,024 bytes),
 * `s` stamp, `b` whether the value begins with a byte order mark (a bulk read drops it silently), `e` expiry (ms), `c` content type, `t` tags, `h` hashes of tags whose text has no room (six characters each, in a row),
 * `k` the key when the physical one is a hash, `d` load ms, and with layout 2 `n`, the bytes that precede the value (with `e` and `k` beside it, for listings).
 */
export interface KvRecord {
  readonly value: Uint8Array
  readonly options: KvPutOptions
}

interface Metadata {
  readonly l: 1
  readonly s: readonly [wall: number, counter: number, writer: string]
  readonly b?: 1
  readonly e?: number
  readonly c?: string
  readonly t?: ReadonlyArray<string>
  readonly h?: string
  readonly k?: string
  readonly d?: number
}

interface Framed {
  readonly l: 2
  readonly n: number
  readonly e?: number
  readonly k?: string
}

/** @param retainMillis how long beyond its expiry the entry is of use to a loader that fails */
export const encode = (entry: Entry, key: string, physical: string, now: number, retainMillis: number): KvRecord => {
  const metadataWith = (tags: Pick<Metadata, "t" | "h">): Metadata => ({
    l: 1,
    s: [entry.stamp.wall, entry.stamp.counter, entry.stamp.writer],
    ...(isMarked(entry.value) ? { b: 1 } : {}),
    ...(entry.expiresAt === Number.POSITIVE_INFINITY ? {} : { e: entry.expiresAt }),
    ...(entry.contentType === defaultContentType ? {} : { c: entry.contentType }),
    ...tags,
    ...(isHashed(physical) ? { k: key } : {}),
    ...(entry.loadMillis === 0 ? {} : { d: entry.loadMillis })
  })
  const expiry =
    entry.expiresAt === Number.POSITIVE_INFINITY
      ? {}
      : {
          expirationTtl: Math.max(limits.minExpirationTtl, Math.ceil((entry.expiresAt + retainMillis - now) / 1000))
        }
  const asText = metadataWith(tagsAsText(entry.tags))
  if (fitsMetadata(asText)) return { value: entry.value, options: { ...expiry, metadata: asText } }
  const asHashes = metadataWith(tagsAsHashes(entry.tags))
  if (fitsMetadata(asHashes)) return { value: entry.value, options: { ...expiry, metadata: asHashes } }
  const [text, hashes] = [asText, asHashes].map((metadata) => new TextEncoder().encode(JSON.stringify(metadata)))
  const front = text!.byteLength + entry.value.byteLength <= limits.valueBytes ? text! : hashes!
  const value = joined(front, entry.value)
  const beside: Framed = { l: 2, n: front.byteLength, ...pick(asHashes, "e") }
  const named: Framed = { ...beside, ...pick(asHashes, "k") }
  return { value, options: { ...expiry, metadata: fitsMetadata(named) ? named : beside } }
}

/** The entry in a KV value; one that Larder did not write has version 0, no expiry that we know of, and no type. */
export const decode = (stored: KvEntry): Entry => {
  if (isMetadata(stored.metadata)) {
    const unmarked = stored.metadata.b === 1 && !isMarked(stored.value)
    return fromMetadata(stored.metadata, unmarked ? joined(byteOrderMark, stored.value) : stored.value)
  }
  if (isFramed(stored.metadata)) {
    const metadata = parse(stored.value.subarray(0, stored.metadata.n))
    if (isMetadata(metadata)) return fromMetadata(metadata, stored.value.subarray(stored.metadata.n))
  }
  return {
    value: stored.value,
    contentType: defaultContentType,
    tags: [],
    stamp: zeroStamp,
    expiresAt: Number.POSITIVE_INFINITY,
    loadMillis: 0
  }
}

/** The key behind a hash, wherever it lies; undefined in a record that needs none, or is not Larder's. */
export const keyWithin = (stored: KvEntry): string | undefined => {
  if (!isFramed(stored.metadata)) return decodeListed(stored.metadata).key
  const metadata = parse(stored.value.subarray(0, stored.metadata.n))
  return isMetadata(metadata) ? metadata.k : undefined
}

export interface ListedRecord {
  readonly expiresAt: number
  /** None where they lie in the value. */
  readonly tags: ReadonlyArray<string>
  /** The key behind a hash. */
  readonly key: string | undefined
  /** Undefined where it lies in the value. */
  readonly stamp: Stamp | undefined
}

/** What a listing's metadata tells. */
export const decodeListed = (metadata: unknown): ListedRecord => {
  if (isMetadata(metadata)) {
    const { e = Number.POSITIVE_INFINITY, k, s } = metadata
    return { expiresAt: e, tags: tagsIn(metadata), key: k, stamp: stampOf(s) }
  }
  if (isFramed(metadata)) {
    return { expiresAt: metadata.e ?? Number.POSITIVE_INFINITY, tags: [], key: metadata.k, stamp: undefined }
  }
  return { expiresAt: Number.POSITIVE_INFINITY, tags: [], key: undefined, stamp: zeroStamp }
}

const byteOrderMark = Uint8Array.of(0xef, 0xbb, 0xbf)

const isMarked = (value: Uint8Array): boolean => byteOrderMark.every((byte, index) => value[index] === byte)

const joined = (front: Uint8Array, rest: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(front.byteLength + rest.byteLength)
  bytes.set(front)
  bytes.set(rest, front.byteLength)
  return bytes
}

const isMetadata = (json: unknown): json is Metadata =>
  typeof json === "object" && json !== null && "l" in json && json.l === 1 && "s" in json && Array.isArray(json.s)

const isFramed = (json: unknown): json is Framed =>
  typeof json === "object" && json !== null && "l" in json && json.l === 2 && "n" in json && typeof json.n === "number"

const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

const fitsMetadata = (metadata: Metadata | Framed): boolean =>
  utf8Bytes(JSON.stringify(metadata)) <= limits.metadataBytes

const joinedHashes = (tags: ReadonlyArray<string>): string => tags.map(hashOfTag).join("")

/** Hashes for those of which nothing else is known, as of what another store had as hashes. */
const tagsAsText = (tags: ReadonlyArray<string>): Pick<Metadata, "t" | "h"> => {
  const [text, hashed] = [tags.filter((tag) => !isHashedTag(tag)), tags.filter(isHashedTag)]
  return {
    ...(text.length === 0 ? {} : { t: text }),
    ...(hashed.length === 0 ? {} : { h: joinedHashes(hashed) })
  }
}

const tagsAsHashes = (tags: ReadonlyArray<string>): Pick<Metadata, "h"> =>
  tags.length === 0 ? {} : { h: joinedHashes(tags) }

const tagsIn = ({ h = "", t = [] }: Metadata): ReadonlyArray<string> => {
  if (h === "") return t
  const tags = [...t]
  for (let at = 0; at < h.length; at += tagHashCharacters) tags.push(tagOfHash(h.slice(at, at + tagHashCharacters)))
  return tags
}

const pick = <K extends "e" | "k">(metadata: Metadata, name: K): Pick<Metadata, K> | {} =>
  metadata[name] === undefined ? {} : { [name]: metadata[name] }

const fromMetadata = (metadata: Metadata, value: Uint8Array): Entry => ({
  value,
  contentType: servableContentType(metadata.c),
  tags: tagsIn(metadata),
  stamp: stampOf(metadata.s),
  expiresAt: metadata.e ?? Number.POSITIVE_INFINITY,
  loadMillis: metadata.d ?? 0
})

const stampOf = (parts: Metadata["s"]): Stamp => ({ wall: parts[0], counter: parts[1], writer: parts[2] })
