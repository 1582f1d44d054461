import { ByteReader, ByteWriter } from "../../base/model/ByteCodec.ts"
import { sharing } from "../../base/model/Sharing.ts"
import type { ShardRow } from "../Shard.ts"
import { readBody, readStamp, withValue, writeBody, writeStamp } from "./RowCodec.ts"

/** A row as a page has it, with what the shard remembers of its last change. */
export interface PagedRow {
  readonly row: ShardRow
  readonly since: number
}

/** The collection of an id, with the slash behind it. */
export const collectionOf = (id: string): string => id.slice(0, id.indexOf("/") + 1)

/**
 * Bytes that a row takes in its page, or a few more.
 *
 * @param weigh bytes that a value counts for
 */
export const sizeOf = ({ row: { body, id } }: PagedRow, weigh: (value: Uint8Array) => number): number =>
  id.length +
  64 +
  (body === undefined
    ? 0
    : weigh(body.value) + body.contentType.length + body.tags.reduce((sum, tag) => sum + tag.length, 0))

/** The rows of one page, which say their collection once. */
export const encode = (first: string, held: ReadonlyArray<PagedRow>): Uint8Array => {
  const { length } = collectionOf(first)
  const writer = new ByteWriter(256 * held.length)
  writer.varint(held.length)
  for (const { row, since } of held) {
    writer.string(row.id.slice(length))
    writer.number(since)
    writeStamp(writer, row.version)
    writer.varint(row.ahead.length)
    for (const stamp of row.ahead) writeStamp(writer, stamp)
    writer.number(row.deletedAt)
    writeBody(writer, row.body)
  }
  for (const { row } of held) if (row.body !== undefined) writer.raw(row.body.value)
  return writer.written()
}

export const decode = (first: string, bytes: Uint8Array): ReadonlyArray<PagedRow> => {
  const collection = collectionOf(first)
  const shared = sharing()
  const reader = new ByteReader(bytes)
  const read = reader.list(() => ({
    id: collection + reader.string(),
    since: reader.number(),
    version: readStamp(reader, shared),
    ahead: reader.list(() => readStamp(reader, shared)),
    deletedAt: reader.number(),
    body: readBody(reader, shared)
  }))
  return read.map(({ body, since, ...row }) => ({
    since,
    row: { ...row, body: withValue(reader, body), packed: true }
  }))
}
