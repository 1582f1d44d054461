import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Compression } from "../../../services/compression/Compression.ts"
import { decodeIndex, decodeSpan, sliceStream, spanOf } from "../../../services/compression/model/GzipBlocks.ts"
import { type ByteRange, resolveRange, type Slice } from "../../../services/files/model/ByteRange.ts"
import { dataKey, indexKey, type Stored, storedOf } from "../../../services/files/model/StoredObject.ts"
import { limits, type ObjectInfo, type ObjectStoreError, type OpenObject } from "../../../services/files/ObjectStore.ts"
import type { Bucket } from "../ObjectStoreR2.ts"
import { streamOf } from "./ByteSource.ts"
import type { KnownObjects } from "./KnownObjects.ts"
import { asking, errorOf } from "./objectErrors.ts"

/** The object, its body under way: all of it, or what was expected to be read. */
export const openR2 = (
  bucket: Bucket,
  compression: Context.Tag.Service<Compression>,
  known: KnownObjects,
  key: string,
  expected: ByteRange | undefined
): Effect.Effect<Option.Option<OpenObject>, ObjectStoreError> =>
  asking("open", async () => {
    const found = await firstOf(bucket, known, key, expected)
    if (found === null) return Option.none()
    const stored = storedOf(found)
    if (stored.index !== undefined) await known.remember(key, { info: stored.info, index: stored.index })
    let body = "body" in found ? { stream: found.body, slice: sliceOf(found, stored) } : undefined
    const close = async () => {
      await body?.stream.cancel().catch(() => undefined)
      body = undefined
    }

    /** Bytes as they lie in the bucket, of this very object. */
    const bytes = async (slice: Slice): Promise<ReadableStream<Uint8Array>> => {
      if (body !== undefined && body.slice.offset === slice.offset && body.slice.length === slice.length) {
        const { stream } = body
        body = undefined
        return stream
      }
      if (body !== undefined && isNearby(body.slice, slice)) {
        const { slice: held, stream } = body
        body = undefined
        return sliceStream(stream, slice.offset - held.offset, slice.length)
      }
      await close()
      const again = await bucket.get(dataKey(key), { range: slice, onlyIf: { etagMatches: stored.info.etag } })
      if (again === null || !("body" in again)) throw errorOf("read", "Changed")
      return again.body
    }

    const content = async (slice: Slice): Promise<ReadableStream<Uint8Array>> => {
      const { info } = stored
      if (info.coding === "identity") return bytes(slice)
      const whole = { offset: 0, length: info.storedBytes }
      const all = slice.offset === 0 && slice.length === info.bytes
      const index = all ? undefined : (stored.index ?? (await indexBeside(bucket, known, key, info)))
      if (index === undefined) {
        const decoded = compression.decodeStream(await bytes(whole), "gzip", info.bytes)
        return all ? decoded : sliceStream(decoded, slice.offset, slice.length)
      }
      const span = spanOf(index, slice.offset, slice.length)
      return decodeSpan(await bytes({ offset: span.storedOffset, length: span.storedLength }), span)
    }

    return Option.some({
      info: stored.info,
      read: (coding, slice) =>
        slice.length === 0
          ? Effect.as(Effect.promise(close), streamOf(new Uint8Array(0)))
          : asking("read", () => (coding === "gzip" ? bytes(slice) : content(slice))),
      close: Effect.promise(close)
    })
  })

/** The bytes as stored that a range of a known object lies in. */
const spanIn = (known: ReturnType<KnownObjects["get"]>, expected: ByteRange): R2Range | undefined => {
  if (known === undefined) return undefined
  const slice = resolveRange(expected, known.info.bytes)
  if (typeof slice === "string") return undefined
  const { storedLength, storedOffset } = spanOf(known.index, slice.offset, slice.length)
  return { offset: storedOffset, length: storedLength }
}

const firstOf = async (
  bucket: Bucket,
  known: KnownObjects,
  key: string,
  expected: ByteRange | undefined
): Promise<R2Object | R2ObjectBody | null> => {
  if (expected === undefined) return bucket.get(dataKey(key))
  const before = await known.recall(key)
  const span = spanIn(before, expected)
  if (before !== undefined && span !== undefined) {
    const found = await bucket.get(dataKey(key), { range: span, onlyIf: { etagMatches: before.info.etag } })
    if (found !== null && "body" in found) return found
    known.forget(key)
  }
  try {
    return await bucket.get(dataKey(key), { range: r2Range(expected) })
  } catch {
    // A range that begins behind the end, as one of a compressed object may, and a suffix of an empty one are errors of
    // different kinds.
    return bucket.get(dataKey(key))
  }
}

/** Bytes that are read and thrown away rather than paying for another operation. */
const maxSurplusBytes = 256 * 1024

const isNearby = (held: Slice, wanted: Slice): boolean =>
  wanted.offset >= held.offset &&
  wanted.offset + wanted.length <= held.offset + held.length &&
  held.length - wanted.length <= maxSurplusBytes

const r2Range = (range: ByteRange): R2Range => {
  if ("suffix" in range) return { suffix: range.suffix }
  return range.last === undefined
    ? { offset: range.first }
    : { offset: range.first, length: range.last - range.first + 1 }
}

/** What of the object a body holds, by the answer, not by what was asked. */
const sliceOf = (found: R2ObjectBody, { info }: Stored): Slice => {
  const range = found.range as
    | { readonly offset?: number; readonly length?: number; readonly suffix?: number }
    | undefined
  if (range === undefined) return { offset: 0, length: info.storedBytes }
  if (range.suffix !== undefined) {
    const length = Math.min(range.suffix, info.storedBytes)
    return { offset: info.storedBytes - length, length }
  }
  const offset = range.offset ?? 0
  return { offset, length: Math.min(range.length ?? info.storedBytes, info.storedBytes - offset) }
}

/** The index of a long object. One that belongs to another version of it does not fit, and is not used. */
const indexBeside = async (bucket: Bucket, known: KnownObjects, key: string, info: ObjectInfo) => {
  if (info.storedBytes <= limits.partBytes) return undefined
  const before = await known.recall(key)
  if (before?.info.etag === info.etag) return before.index
  const found = await bucket.get(indexKey(key))
  const index = found === null ? undefined : decodeIndex(await found.text(), info.storedBytes)
  if (index !== undefined) await known.remember(key, { info, index })
  return index
}
