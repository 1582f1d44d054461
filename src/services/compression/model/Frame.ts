import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from "node:zlib"
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { ByteReader, ByteWriter } from "../../base/model/ByteCodec.ts"

/**
 * - `Foreign`: not a frame, or not one of the kind asked for. `Unsupported`: of a later version, or an unknown codec.
 * - `Damaged`: cut short, changed, or not what its kind holds. `TooLarge`: over {@link maxPayloadBytes}.
 */
export class FrameError extends Data.TaggedError("FrameError")<{
  readonly reason: "Foreign" | "Unsupported" | "Damaged" | "TooLarge"
  readonly cause?: unknown
}> {}

/** What a frame may hold before compression: one value of KV's 25 MiB and what belongs to it. */
export const maxPayloadBytes = 32 * 1024 * 1024

export type FrameKind = keyof typeof kinds

/**
 * One payload as it lies in KV: magic `LRDR`, CRC-32 of all that follows, version, kind, codec, length of the payload,
 * length as stored (both 32 bits, little-endian), the payload compressed as a whole. The checksum is taken over the
 * stored bytes, so that damage is found before anything is decompressed.
 */
export const encode = (kind: FrameKind, payload: Uint8Array): Either.Either<Uint8Array, FrameError> => {
  if (payload.byteLength > maxPayloadBytes) return Either.left(new FrameError({ reason: "TooLarge" }))
  const packed = compress(payload)
  const codec = packed.byteLength < payload.byteLength ? codecs.brotli : codecs.plain
  const stored = codec === codecs.brotli ? packed : payload
  const writer = new ByteWriter(headerBytes + stored.byteLength)
  writer.uint32(magic)
  writer.uint32(0)
  writer.byte(version)
  writer.byte(kinds[kind])
  writer.byte(codec)
  writer.uint32(payload.byteLength)
  writer.uint32(stored.byteLength)
  writer.raw(stored)
  const frame = writer.written()
  new DataView(frame.buffer, frame.byteOffset).setUint32(4, crc32(frame.subarray(checkedFrom)), true)
  return Either.right(frame)
}

/** Reads one frame that fills the bytes, and its payload with `read`, which must use it up. */
export const decode = <A>(
  kind: FrameKind,
  bytes: Uint8Array,
  read: (payload: ByteReader) => A
): Either.Either<A, FrameError> => {
  const header = headerOf(bytes)
  if (Either.isLeft(header)) return Either.left(header.left)
  const { codec, frameBytes, payloadBytes, stored } = header.right
  if (frameBytes !== bytes.byteLength) return failure("Damaged")
  if (crc32(bytes.subarray(checkedFrom)) !== header.right.checksum) return failure("Damaged")
  if (header.right.version !== version) return failure("Unsupported")
  if (header.right.kind !== kinds[kind]) return failure("Foreign")
  if (payloadBytes > maxPayloadBytes) return failure("TooLarge")
  if (codec !== codecs.plain && codec !== codecs.brotli) return failure("Unsupported")
  try {
    const payload = codec === codecs.plain ? stored : decompress(stored, payloadBytes)
    if (payload.byteLength !== payloadBytes) return failure("Damaged")
    const reader = new ByteReader(payload)
    const value = read(reader)
    reader.end()
    return Either.right(value)
  } catch (cause) {
    return failure("Damaged", cause)
  }
}

/** Cuts bytes that are nothing but frames, one behind the other, at their seams. */
export const split = (bytes: Uint8Array): Either.Either<ReadonlyArray<Uint8Array>, FrameError> => {
  const frames: Array<Uint8Array> = []
  for (let from = 0; from < bytes.byteLength; ) {
    const header = headerOf(bytes.subarray(from))
    if (Either.isLeft(header)) return Either.left(header.left)
    const to = from + header.right.frameBytes
    if (to > bytes.byteLength) return failure("Damaged")
    frames.push(bytes.subarray(from, to))
    from = to
  }
  return Either.right(frames)
}

const magic = 0x5244524c
const version = 1
const kinds = { image: 1, manifest: 2, writes: 3, learned: 5, page: 4, generation: 6 } as const
const codecs = { plain: 0, brotli: 1 } as const
const checkedFrom = 8
const headerBytes = 19

/** Quality 5: 20 ms a MiB of JSON rows, as small as deflate at 28 ms; 9 is a tenth smaller at 72 ms (bench/packing.ts). */
const compress = (payload: Uint8Array): Uint8Array =>
  plainView(
    brotliCompressSync(payload, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 5,
        [constants.BROTLI_PARAM_SIZE_HINT]: payload.byteLength
      }
    })
  )

/**
 * The cap is above what is expected, and the length is compared afterwards: workerd 1.20260310 refuses an output of
 * exactly the cap, and counts the room it makes, not what it fills.
 */
const decompress = (stored: Uint8Array, payloadBytes: number): Uint8Array =>
  plainView(brotliDecompressSync(stored, { maxOutputLength: 2 * payloadBytes + 65_536 }))

const plainView = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const headerOf = (bytes: Uint8Array) => {
  if (bytes.byteLength < 4) return failure("Foreign")
  const reader = new ByteReader(bytes)
  if (reader.uint32() !== magic) return failure("Foreign")
  if (bytes.byteLength < headerBytes) return failure("Damaged")
  const checksum = reader.uint32()
  const [version, kind, codec] = [reader.byte(), reader.byte(), reader.byte()]
  const [payloadBytes, storedBytes] = [reader.uint32(), reader.uint32()]
  const frameBytes = headerBytes + storedBytes
  const stored = bytes.subarray(headerBytes, frameBytes)
  return Either.right({ checksum, version, kind, codec, payloadBytes, frameBytes, stored })
}

const failure = (reason: FrameError["reason"], cause?: unknown): Either.Either<never, FrameError> =>
  Either.left(new FrameError(cause === undefined ? { reason } : { reason, cause }))
