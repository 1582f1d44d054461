import type * as Either from "effect/Either"
import { ByteWriter, Malformed } from "../../base/model/ByteCodec.ts"
import { sharing } from "../../base/model/Sharing.ts"
import * as Frame from "../../compression/model/Frame.ts"
import { readBody, readStamp, withValue, writeBody, writeStamp } from "../../durable/model/RowCodec.ts"
import { collectionOf } from "../../durable/model/RowPage.ts"
import type { ShardImage, ShardRow, ShardWrite } from "../../durable/Shard.ts"
import { bytesOf } from "../../store/model/EntryBytes.ts"

export { readBody, readStamp, withValue, writeBody, writeStamp }

/** Rows and tag marks as one frame: a directory of all but the values, then the values. */
export const encode = (image: ShardImage): Either.Either<Uint8Array, Frame.FrameError> => {
  const writer = new ByteWriter(rowsBytes(image.rows))
  writer.varint(image.tags.size)
  for (const [tag, mark] of image.tags) {
    writer.string(tag)
    writeStamp(writer, mark)
  }
  writer.varint(image.rows.length)
  for (const row of image.rows) {
    writer.string(row.id)
    writeStamp(writer, row.version)
    writer.varint(row.ahead.length)
    for (const stamp of row.ahead) writeStamp(writer, stamp)
    writer.number(row.body !== undefined && row.packed ? packedMark : row.deletedAt)
    writeBody(writer, row.body)
  }
  for (const row of image.rows) if (row.body !== undefined) writer.raw(row.body.value)
  return Frame.encode("image", writer.written())
}

export const decode = (bytes: Uint8Array): Either.Either<ShardImage, Frame.FrameError> =>
  Frame.decode("image", bytes, (reader) => {
    const shared = sharing()
    const tags = new Map(reader.list(() => [reader.string(), readStamp(reader, shared)] as const))
    const rows = reader.list(() => ({
      id: reader.string(),
      version: readStamp(reader, shared),
      ahead: reader.list(() => readStamp(reader, shared)),
      deletedAt: reader.number(),
      body: readBody(reader, shared)
    }))
    const packed = new Set(rows.filter(isPacked).map(({ id }) => collectionOf(id)))
    return {
      tags,
      rows: rows.map((row): ShardRow => {
        const own = { ...row, body: withValue(reader, row.body) }
        if (!isPacked(row) && (row.body !== undefined || !packed.has(collectionOf(row.id)))) return own
        return { ...own, deletedAt: row.body === undefined ? row.deletedAt : 0, packed: true }
      })
    }
  })

/**
 * In place of the 0 of an entry that lies in a page, so that it comes back into one; versions before it take it for 0. A
 * tombstone lies where entries of its collection do.
 */
const packedMark = 1

const isPacked = ({ body, deletedAt }: { readonly body: unknown; readonly deletedAt: number }): boolean =>
  body !== undefined && deletedAt === packedMark

/** Writes on their way to a shard as one frame. */
export const encodeWrites = (writes: ReadonlyArray<ShardWrite>): Either.Either<Uint8Array, Frame.FrameError> => {
  const writer = new ByteWriter(rowsBytes(writes))
  writer.varint(writes.length)
  for (const write of writes) {
    writer.string(write.id)
    writeStamp(writer, write.stamp)
    writer.byte((write.firstUntil === undefined ? 0 : 1) + (write.lease === undefined ? 0 : 2))
    if (write.firstUntil !== undefined) writer.number(write.firstUntil)
    if (write.lease !== undefined) writer.number(write.lease)
    writeBody(writer, write.body)
  }
  for (const write of writes) if (write.body !== undefined) writer.raw(write.body.value)
  return Frame.encode("writes", writer.written())
}

export const decodeWrites = (bytes: Uint8Array): Either.Either<ReadonlyArray<ShardWrite>, Frame.FrameError> =>
  Frame.decode("writes", bytes, (reader) => {
    const shared = sharing()
    const writes = reader.list(() => {
      const [id, stamp, flags] = [reader.string(), readStamp(reader, shared), reader.byte()]
      if (flags > 3) throw new Malformed("an unknown field")
      return {
        id,
        stamp,
        ...(flags & 1 ? { firstUntil: reader.number() } : {}),
        ...(flags & 2 ? { lease: reader.number() } : {}),
        body: readBody(reader, shared)
      }
    })
    return writes.map(({ body, ...write }): ShardWrite => ({ ...write, body: withValue(reader, body) }))
  })

/** About how many bytes a row, or a write, takes in its frame before compression. */
export const rowBytes = ({ bytes, id }: { readonly bytes: number; readonly id: string }): number =>
  id.length + 48 + bytes

const rowsBytes = (rows: ReadonlyArray<Pick<ShardRow, "id" | "body">>): number => {
  let bytes = 64
  for (const { body, id } of rows) bytes += rowBytes({ id, bytes: bytesOf(body) })
  return bytes
}
