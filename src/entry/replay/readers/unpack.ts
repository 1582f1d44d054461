import { Readable } from "node:stream"
import { createGunzip } from "node:zlib"
import { Decompress } from "fzstd"
import { failure } from "./text.ts"

type Pieces = AsyncGenerator<Uint8Array>

const beginsWith = (head: Uint8Array, ...bytes: ReadonlyArray<number>): boolean =>
  bytes.every((byte, index) => head[index] === byte)

/** A file's beginning, and the whole of it. */
export const peeked = async (
  pieces: AsyncIterable<Uint8Array>,
  bytes: number
): Promise<{ readonly head: Uint8Array; readonly whole: Pieces }> => {
  const iterator = pieces[Symbol.asyncIterator]()
  const kept: Array<Uint8Array> = []
  let length = 0
  while (length < bytes) {
    const next = await iterator.next()
    if (next.done) break
    kept.push(next.value)
    length += next.value.length
  }
  const whole = async function* (): Pieces {
    try {
      yield* kept
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  return { head: Buffer.concat(kept).subarray(0, bytes), whole: whole() }
}

/** Others, by their first bytes. */
const packers: ReadonlyArray<readonly [name: string, ...bytes: ReadonlyArray<number>]> = [
  ["bzip2", 0x42, 0x5a, 0x68],
  ["xz", 0xfd, 0x37, 0x7a, 0x58],
  ["zip", 0x50, 0x4b, 3, 4],
  ["7z", 0x37, 0x7a, 0xbc, 0xaf],
  ["lz4", 0x04, 0x22, 0x4d, 0x18],
  ["zlib", 0x78, 0x01],
  ["zlib", 0x78, 0x9c],
  ["zlib", 0x78, 0xda]
]

/** A log that was packed may be packed again on its way. */
const maxLayers = 3

/** The bytes of a file as text in UTF-8 (or whatever it is in, where nothing tells), unpacked when it is gzip or zstd. */
export const unpacked = async (file: AsyncIterable<Uint8Array>, layers = 0): Promise<Pieces> => {
  const { head, whole } = await peeked(file, 6)
  if (layers < maxLayers && beginsWith(head, 0x1f, 0x8b)) return unpacked(gunzipped(whole), layers + 1)
  if (layers < maxLayers && isZstd(head)) return unpacked(unzstd(whole), layers + 1)
  const packer = packers.find(([, ...bytes]) => beginsWith(head, ...bytes))?.[0]
  if (packer !== undefined)
    throw failure("BadHeader", `the file is ${packer}: unpack it, or pack it with gzip or zstd.`)
  return asText(whole)
}

async function* gunzipped(pieces: Pieces): Pieces {
  const gunzip = createGunzip()
  const source = Readable.from(pieces)
  source.on("error", (cause) => gunzip.destroy(cause))
  try {
    yield* source.pipe(gunzip)
  } finally {
    source.destroy()
    gunzip.destroy()
  }
}

/** A frame, or one that is skipped: RFC 8878, 3.1. */
const isZstd = (head: Uint8Array): boolean =>
  beginsWith(head, 0x28, 0xb5, 0x2f, 0xfd) ||
  (head[0] !== undefined && (head[0] & 0xf0) === 0x50 && beginsWith(head.subarray(1), 0x2a, 0x4d, 0x18))

/** Four bytes may stand for 128 KiB, so that no more than these are unpacked at once: at most 64 MiB come of them. */
const zstdStep = 2048

async function* unzstd(pieces: Pieces): Pieces {
  let out: Array<Uint8Array> = []
  let ended = false
  const zstd = new Decompress((data, final) => {
    if (data.length > 0) out.push(data)
    ended = final === true
  })
  const push = (piece: Uint8Array, last: boolean): ReadonlyArray<Uint8Array> => {
    out = []
    zstd.push(piece, last)
    return out
  }
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += zstdStep) yield* push(piece.slice(at, at + zstdStep), false)
  }
  yield* push(new Uint8Array(0), true)
  if (!ended) throw failure("BadRow", "the file breaks off within its zstd frame: give the whole of it.")
}

/** Without its byte order mark; UTF-16, which Windows tools write, as UTF-8. */
async function* asText(pieces: Pieces): Pieces {
  const { head, whole } = await peeked(pieces, 3)
  const utf16 = beginsWith(head, 0xff, 0xfe) ? "utf-16le" : beginsWith(head, 0xfe, 0xff) ? "utf-16be" : undefined
  if (utf16 !== undefined) {
    const decoder = new TextDecoder(utf16)
    for await (const piece of whole) yield Buffer.from(decoder.decode(piece, { stream: true }))
    yield Buffer.from(decoder.decode())
    return
  }
  let marked = beginsWith(head, 0xef, 0xbb, 0xbf) ? 3 : 0
  for await (const piece of whole) {
    const skipped = Math.min(marked, piece.length)
    marked -= skipped
    yield piece.subarray(skipped)
  }
}
