import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Compression } from "../../../services/compression/Compression.ts"
import { type BlockIndex, encodeIndex } from "../../../services/compression/model/GzipBlocks.ts"
import {
  compressedMetadata,
  dataKey,
  indexKey,
  maxIndexCharacters,
  storedOf
} from "../../../services/files/model/StoredObject.ts"
import {
  limits,
  type ObjectInfo,
  type ObjectStoreError,
  type PutOptions,
  type UploadedPart,
  type WriteCondition
} from "../../../services/files/ObjectStore.ts"
import type { Bucket } from "../ObjectStoreR2.ts"
import { ByteSource, streamOf } from "./ByteSource.ts"
import { asking, errorOf } from "./objectErrors.ts"
import { inParts, shortIndex, storedForm } from "./storedForm.ts"

/**
 * What fits into memory is put at once, its condition with it. Longer content of a known length that is stored as it is
 * goes through in one operation as well; the rest in parts, which are removed again when anything fails.
 */
export const putR2 = (
  bucket: Bucket,
  compression: Context.Tag.Service<Compression>,
  key: string,
  body: Uint8Array | ReadableStream<Uint8Array>,
  options: PutOptions
): Effect.Effect<ObjectInfo, ObjectStoreError> =>
  asking("put", async () => {
    const length = body instanceof Uint8Array ? body.byteLength : options.length
    const source = new ByteSource(body instanceof Uint8Array ? streamOf(body) : body, options.limit, length)
    try {
      const form = await storedForm(source, compression, options.contentType, length)
      switch (form.kind) {
        case "whole":
          return await putWhole(bucket, key, form.bytes, form.index, options)
        case "plain":
          return length === undefined
            ? await putParts(bucket, key, inParts(restOf(source, form.beginning), limits.partBytes), options)
            : await putStream(bucket, key, restOf(source, form.beginning), length, options)
        case "compressed":
          return await putParts(bucket, key, form.parts, options, { bytes: length!, index: form.index })
      }
    } catch (cause) {
      source.cancel()
      throw cause
    }
  })

async function* restOf(source: ByteSource, beginning: Uint8Array): AsyncGenerator<Uint8Array> {
  yield beginning
  for (let chunk = await source.chunk(); chunk !== undefined; chunk = await source.chunk()) yield chunk
}

const conditionOf = (condition: WriteCondition | undefined): { readonly onlyIf?: R2Conditional | Headers } => {
  if (condition === undefined) return {}
  const { match } = condition
  if (match === "none") return { onlyIf: { etagDoesNotMatch: "*" } }
  if (match === "any") return { onlyIf: { etagMatches: "*" } }
  return { onlyIf: new Headers({ "If-Match": match.map((tag) => `"${tag}"`).join(", ") || '""' }) }
}

const infoOf = (object: R2Object | null): ObjectInfo => {
  if (object === null) throw errorOf("put", "ConditionFailed")
  return storedOf(object).info
}

const headersOf = (options: PutOptions, compressed: boolean): R2HTTPMetadata => ({
  contentType: options.contentType,
  ...(compressed ? { contentEncoding: "gzip" } : {})
})

const putWhole = async (
  bucket: Bucket,
  key: string,
  bytes: Uint8Array,
  index: BlockIndex | undefined,
  options: PutOptions
): Promise<ObjectInfo> => {
  const text = index && shortIndex(index, maxIndexCharacters)
  if (index !== undefined && text === undefined) await bucket.put(indexKey(key), encodeIndex(index))
  const object = await bucket.put(dataKey(key), bytes, {
    httpMetadata: headersOf(options, index !== undefined),
    customMetadata: { ...options.metadata, ...(index === undefined ? {} : compressedMetadata(index.bytes, text)) },
    ...conditionOf(options.condition)
  })
  return infoOf(object)
}

const putStream = async (
  bucket: Bucket,
  key: string,
  chunks: AsyncGenerator<Uint8Array>,
  length: number,
  options: PutOptions
): Promise<ObjectInfo> => {
  const { readable, writable } = new FixedLengthStream(length)
  const writer = writable.getWriter()
  writer.closed.catch(() => undefined)
  let failure: { readonly cause: unknown } | undefined
  const feed = async () => {
    for await (const chunk of chunks) await writer.write(chunk)
    await writer.close()
  }
  const feeding = feed().catch(async (cause) => {
    failure = { cause }
    await writer.abort(cause).catch(() => undefined)
  })
  try {
    const object = await bucket.put(dataKey(key), readable, {
      httpMetadata: headersOf(options, false),
      customMetadata: { ...options.metadata },
      ...conditionOf(options.condition)
    })
    await feeding
    return infoOf(object)
  } catch (cause) {
    throw failure === undefined ? cause : failure.cause
  }
}

/** @param compressed bytes of the content, and the index, which is known behind the last part only */
const putParts = async (
  bucket: Bucket,
  key: string,
  parts: AsyncGenerator<Uint8Array>,
  options: PutOptions,
  compressed?: { readonly bytes: number; readonly index: () => BlockIndex }
): Promise<ObjectInfo> => {
  const upload = await bucket.createMultipartUpload(dataKey(key), {
    httpMetadata: headersOf(options, compressed !== undefined),
    customMetadata: {
      ...options.metadata,
      ...(compressed === undefined ? {} : compressedMetadata(compressed.bytes, undefined))
    }
  })
  let besides: string | undefined
  try {
    const uploaded: Array<UploadedPart> = []
    for await (const part of parts) uploaded.push(await upload.uploadPart(uploaded.length + 1, part))
    await checkCondition(bucket, key, options.condition)
    if (compressed !== undefined) {
      besides = indexKey(key)
      await bucket.put(besides, encodeIndex(compressed.index()))
    }
    return storedOf(await upload.complete(uploaded)).info
  } catch (cause) {
    await upload.abort().catch(() => undefined)
    if (besides !== undefined) await bucket.delete(besides).catch(() => undefined)
    throw cause
  }
}

const checkCondition = async (bucket: Bucket, key: string, condition: WriteCondition | undefined): Promise<void> => {
  if (condition === undefined) return
  const found = await bucket.head(dataKey(key))
  const { match } = condition
  const holds = match === "none" ? found === null : found !== null && (match === "any" || match.includes(found.etag))
  if (!holds) throw errorOf("put", "ConditionFailed")
}
