import { type BlockIndex, decodeIndex } from "../../compression/model/GzipBlocks.ts"
import type { ObjectInfo } from "../ObjectStore.ts"

/** Where objects and the indexes of long compressed ones lie in a bucket. */
export const dataKey = (key: string): string => `data/${key}`

export const indexKey = (key: string): string => `index/${key}`

/** The key that a name in the bucket belongs to. */
export const keyOfData = (name: string): string => name.slice("data/".length)

/** What the metadata of a compressed object says; the rest of the metadata is the caller's. */
const bytesName = "larder-bytes"
const indexName = "larder-index"

/** Characters of an index in the metadata, of R2's 8 KiB; a longer one lies beside the object. */
export const maxIndexCharacters = 5800

/** @param index undefined when it lies beside the object */
export const compressedMetadata = (bytes: number, index: string | undefined): { readonly [name: string]: string } => ({
  [bytesName]: String(bytes),
  ...(index === undefined ? {} : { [indexName]: index })
})

/** What R2 says of an object. */
export interface BucketObject {
  readonly key: string
  readonly size: number
  readonly etag: string
  readonly uploaded: Date
  readonly httpMetadata?: { readonly contentType?: string; readonly contentEncoding?: string } | undefined
  readonly customMetadata?: { readonly [name: string]: string } | undefined
}

export interface Stored {
  readonly info: ObjectInfo
  readonly index: BlockIndex | undefined
}

/** An object that was put by a link has no metadata of ours: its bytes are its content. */
export const storedOf = (object: BucketObject): Stored => {
  const { [bytesName]: bytes, [indexName]: index, ...metadata } = object.customMetadata ?? {}
  const compressed = bytes !== undefined && /^\d{1,16}$/.test(bytes)
  return {
    info: {
      key: keyOfData(object.key),
      bytes: compressed ? Number(bytes) : object.size,
      storedBytes: object.size,
      coding: compressed ? "gzip" : "identity",
      etag: object.etag,
      uploadedAt: object.uploaded.getTime(),
      contentType: object.httpMetadata?.contentType ?? "application/octet-stream",
      metadata
    },
    index: compressed && index !== undefined ? decodeIndex(index, object.size) : undefined
  }
}
