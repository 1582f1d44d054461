import type * as Context from "effect/Context"
import { concat } from "../../../services/base/model/ByteCodec.ts"
import type { BlockCompression, Compression } from "../../../services/compression/Compression.ts"
import { isWorthKeeping } from "../../../services/compression/model/CompressionRules.ts"
import {
  type BlockIndex,
  blockBytesFor,
  encodeIndex,
  type GzipBlockWriter
} from "../../../services/compression/model/GzipBlocks.ts"
import { limits } from "../../../services/files/ObjectStore.ts"
import type { ByteSource } from "./ByteSource.ts"

/**
 * What is to be stored of a body. `whole` is in memory. The others are longer than {@link limits}`.partBytes`, and come
 * as they are read.
 */
export type StoredForm =
  | { readonly kind: "whole"; readonly bytes: Uint8Array; readonly index: BlockIndex | undefined }
  | { readonly kind: "plain"; readonly beginning: Uint8Array }
  | { readonly kind: "compressed"; readonly parts: AsyncGenerator<Uint8Array>; readonly index: () => BlockIndex }

/** @param length bytes of the body, where they are known: without them, a long body is stored as it is */
export const storedForm = async (
  source: ByteSource,
  compression: Context.Tag.Service<Compression>,
  contentType: string,
  length: number | undefined
): Promise<StoredForm> => {
  const beginning = await source.take(limits.partBytes)
  const ended = beginning.byteLength < limits.partBytes
  if (!ended && length === undefined) return { kind: "plain", beginning }
  const blocks = compression.blocks({ contentType, beginning, blockBytes: blockBytesFor(length ?? 0) })
  if (blocks === undefined) return plain(beginning, ended)
  const { settle, writer } = blocks
  const made = [...writer.push(beginning)]
  if (ended) made.push(...writer.end())
  const kept = isWorthKeeping(beginning.byteLength, sizeOf(made))
  if (!kept || ended) settle(kept)
  if (!kept) return plain(beginning, ended)
  if (ended) return { kind: "whole", bytes: concat(made), index: writer.index() }
  const parts = inParts(compressed(source, made, blocks), limits.partBytes)
  const first = await parts.next()
  const second = await parts.next()
  if (second.done) return { kind: "whole", bytes: first.value ?? new Uint8Array(0), index: writer.index() }
  return { kind: "compressed", parts: preceded([first.value, second.value], parts), index: () => writer.index() }
}

/** Text that is short enough for the metadata, or undefined. */
export const shortIndex = (index: BlockIndex, maxCharacters: number): string | undefined => {
  const text = encodeIndex(index)
  return text.length <= maxCharacters ? text : undefined
}

const plain = (beginning: Uint8Array, ended: boolean): StoredForm =>
  ended ? { kind: "whole", bytes: beginning, index: undefined } : { kind: "plain", beginning }

const sizeOf = (chunks: ReadonlyArray<Uint8Array>): number =>
  chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)

async function* compressed(
  source: ByteSource,
  beginning: ReadonlyArray<Uint8Array>,
  { settle, writer }: BlockCompression & { readonly writer: GzipBlockWriter }
): AsyncGenerator<Uint8Array> {
  yield* beginning
  for (let chunk = await source.chunk(); chunk !== undefined; chunk = await source.chunk()) yield* writer.push(chunk)
  yield* writer.end()
  settle(true)
}

/** The same bytes in pieces of one size, the last one shorter or as long. */
export async function* inParts(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let held: Array<Uint8Array> = []
  let bytes = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; ) {
      const piece = chunk.subarray(at, at + size - bytes)
      held.push(piece)
      bytes += piece.byteLength
      at += piece.byteLength
      if (bytes < size) continue
      yield concat(held)
      held = []
      bytes = 0
    }
  }
  if (bytes > 0) yield concat(held)
}

async function* preceded(
  first: ReadonlyArray<Uint8Array>,
  rest: AsyncGenerator<Uint8Array>
): AsyncGenerator<Uint8Array> {
  yield* first
  yield* rest
}
