import { constants, crc32, deflateRawSync, inflateRawSync } from "node:zlib"
import { ByteReader, ByteWriter, concat } from "../../base/model/ByteCodec.ts"

/**
 * One gzip member that any client decodes, and that can be decoded from the middle: every block of the content is
 * deflated for itself and ends with a full flush, at a byte boundary and without reference to what came before.
 */
export interface BlockIndex {
  /** Bytes of content in every block but the last. */
  readonly blockBytes: number
  /** Bytes of content in all. */
  readonly bytes: number
  /** Bytes that each block takes in the member. */
  readonly lengths: ReadonlyArray<number>
}

export const defaultBlockBytes = 128 * 1024

/** Blocks that keep an index of about 3 bytes each within R2's 8 KiB of metadata. */
const maxBlocks = 1024

/** Larger blocks for larger contents. */
export const blockBytesFor = (bytes: number): number => {
  let size = defaultBlockBytes
  while (bytes > size * maxBlocks) size *= 2
  return size
}

const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)

/** An empty last block of deflate. */
const lastBlock = Uint8Array.of(3, 0)

export const overheadBytes = header.byteLength + lastBlock.byteLength + 8

/** Makes such a member of chunks as they come; holds less than a block of them. */
export class GzipBlockWriter {
  private readonly pending: Uint8Array
  private readonly lengths: Array<number> = []
  private filled = 0
  private checksum = 0
  private total = 0
  private begun = false

  constructor(
    private readonly blockBytes: number = defaultBlockBytes,
    private readonly level: number = 6
  ) {
    this.pending = new Uint8Array(blockBytes)
  }

  /** What the member grows by. */
  push(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    const made: Array<Uint8Array> = []
    for (let at = 0; at < chunk.byteLength; ) {
      const taken = Math.min(chunk.byteLength - at, this.blockBytes - this.filled)
      this.pending.set(chunk.subarray(at, at + taken), this.filled)
      this.filled += taken
      at += taken
      if (this.filled === this.blockBytes) this.block(made)
    }
    return made
  }

  /** What ends the member. */
  end(): ReadonlyArray<Uint8Array> {
    const made: Array<Uint8Array> = []
    if (this.filled > 0) this.block(made)
    this.begin(made)
    const trailer = new Uint8Array(8)
    const view = new DataView(trailer.buffer)
    view.setUint32(0, this.checksum, true)
    view.setUint32(4, this.total % 2 ** 32, true)
    made.push(lastBlock, trailer)
    return made
  }

  /** Of what was written so far; complete after {@link end}. */
  index(): BlockIndex {
    return { blockBytes: this.blockBytes, bytes: this.total, lengths: this.lengths }
  }

  private begin(made: Array<Uint8Array>): void {
    if (!this.begun) made.push(header)
    this.begun = true
  }

  private block(made: Array<Uint8Array>): void {
    this.begin(made)
    const content = this.pending.subarray(0, this.filled)
    const packed = deflateRawSync(content, { level: this.level, finishFlush: constants.Z_FULL_FLUSH })
    this.checksum = crc32(content, this.checksum)
    this.total += this.filled
    this.lengths.push(packed.byteLength)
    this.filled = 0
    made.push(new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength))
  }
}

/** Bytes of the whole member. */
export const storedBytesOf = ({ lengths }: BlockIndex): number =>
  lengths.reduce((sum, length) => sum + length, overheadBytes)

/** Which bytes of the member hold a part of the content, and which part of what they decode to it is. */
export interface BlockSpan {
  readonly storedOffset: number
  readonly storedLength: number
  /** Bytes that each of its blocks takes in the member. */
  readonly lengths: ReadonlyArray<number>
  readonly skip: number
  readonly take: number
}

/** @param length at least 1, and not beyond the end */
export const spanOf = (index: BlockIndex, offset: number, length: number): BlockSpan => {
  const first = Math.floor(offset / index.blockBytes)
  const last = Math.floor((offset + length - 1) / index.blockBytes)
  const sum = (lengths: ReadonlyArray<number>) => lengths.reduce((total, bytes) => total + bytes, 0)
  const lengths = index.lengths.slice(first, last + 1)
  return {
    storedOffset: header.byteLength + sum(index.lengths.slice(0, first)),
    storedLength: sum(lengths),
    lengths,
    skip: offset - first * index.blockBytes,
    take: length
  }
}

/** The part of the content that a span's bytes of the member hold. One block is in memory at a time. */
export const decodeSpan = (
  stored: ReadableStream<Uint8Array>,
  { lengths, skip, take }: BlockSpan
): ReadableStream<Uint8Array> => {
  const reader = stored.getReader()
  reader.closed.catch(() => undefined)
  let pending: Uint8Array = new Uint8Array(0)
  let block = 0
  /** The stored bytes of the next block, and an end of its own behind them. */
  const next = async (): Promise<Uint8Array> => {
    const length = lengths[block++]!
    const bytes = new Uint8Array(length + lastBlock.byteLength)
    let filled = 0
    while (filled < length) {
      if (pending.byteLength === 0) pending = await chunkOf(reader, length - filled)
      const part = pending.subarray(0, length - filled)
      bytes.set(part, filled)
      filled += part.byteLength
      pending = pending.subarray(part.byteLength)
    }
    bytes.set(lastBlock, length)
    return bytes
  }
  const blocks = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        if (block === lengths.length) controller.close()
        else controller.enqueue(inflateRawSync(await next()))
      },
      cancel: (reason) => reader.cancel(reason)
    },
    { highWaterMark: 0 }
  )
  return sliceStream(blocks, skip, take)
}

const chunkOf = async (reader: ReadableStreamDefaultReader<Uint8Array>, missing: number): Promise<Uint8Array> => {
  const { done, value } = await reader.read()
  if (done) throw new Error(`the stored bytes end ${missing} bytes early`)
  return value
}

/** `take` bytes behind the first `skip`; the rest is not read. */
export const sliceStream = (
  source: ReadableStream<Uint8Array>,
  skip: number,
  take: number
): ReadableStream<Uint8Array> => {
  let toSkip = skip
  let left = take
  const reader = source.getReader()
  reader.closed.catch(() => undefined)
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      while (left > 0) {
        const value = await chunkOf(reader, left)
        const from = Math.min(toSkip, value.byteLength)
        toSkip -= from
        const part = value.subarray(from, from + left)
        if (part.byteLength === 0) continue
        left -= part.byteLength
        controller.enqueue(part)
        break
      }
      if (left > 0) return
      controller.close()
      reader.cancel().catch(() => undefined)
    },
    cancel: (reason) => reader.cancel(reason)
  })
}

/** The index as text, for metadata: base64 of version, block size, content length and the blocks' lengths. */
export const encodeIndex = (index: BlockIndex): string => {
  const writer = new ByteWriter(16 + 3 * index.lengths.length)
  writer.byte(1)
  writer.varint(index.blockBytes)
  writer.varint(index.bytes)
  writer.varint(index.lengths.length)
  for (const length of index.lengths) writer.varint(length)
  return btoa(Array.from(writer.written(), (byte) => String.fromCharCode(byte)).join(""))
}

/** Undefined for text that is no index of a member of `storedBytes`: then the content is decoded from its start. */
export const decodeIndex = (text: string, storedBytes: number): BlockIndex | undefined => {
  try {
    const reader = new ByteReader(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
    if (reader.byte() !== 1) return undefined
    const [blockBytes, bytes] = [reader.varint(), reader.varint()]
    const lengths = reader.list(() => reader.varint())
    reader.end()
    const index = { blockBytes, bytes, lengths }
    const fits = blockBytes > 0 && Math.ceil(bytes / blockBytes) === lengths.length
    return fits && storedBytesOf(index) === storedBytes ? index : undefined
  } catch {
    return undefined
  }
}

/** A whole member, for content that is in memory. */
export const encodeBlocks = (
  content: Uint8Array,
  blockBytes: number = defaultBlockBytes
): { readonly bytes: Uint8Array; readonly index: BlockIndex } => {
  const writer = new GzipBlockWriter(blockBytes)
  const bytes = concat([...writer.push(content), ...writer.end()])
  return { bytes, index: writer.index() }
}
