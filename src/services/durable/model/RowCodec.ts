import type { ByteReader, ByteWriter } from "../../base/model/ByteCodec.ts"
import type { Entry, Stamp } from "../../store/model/Entry.ts"

export const writeStamp = (writer: ByteWriter, stamp: Stamp): void => {
  writer.number(stamp.wall)
  writer.number(stamp.counter)
  writer.string(stamp.writer)
}

/** @param shared see {@link sharing} */
export const readStamp = (reader: ByteReader, shared: (text: string) => string): Stamp => ({
  wall: reader.number(),
  counter: reader.number(),
  writer: shared(reader.string())
})

/** The body but for its value, of which it keeps the length; a 0 for none. */
export const writeBody = (writer: ByteWriter, body: Omit<Entry, "stamp"> | undefined): void => {
  writer.varint(body === undefined ? 0 : body.value.byteLength + 1)
  if (body === undefined) return
  writer.string(body.contentType)
  writer.number(body.expiresAt)
  writer.number(body.loadMillis)
  writer.varint(body.tags.length)
  for (const tag of body.tags) writer.string(tag)
}

type BodyHead = Omit<Entry, "stamp" | "value"> & { readonly valueBytes: number }

export const readBody = (reader: ByteReader, shared: (text: string) => string): BodyHead | undefined => {
  const length = reader.varint()
  if (length === 0) return undefined
  return {
    valueBytes: length - 1,
    contentType: shared(reader.string()),
    expiresAt: reader.number(),
    loadMillis: reader.number(),
    tags: reader.list(() => shared(reader.string()))
  }
}

/** The value is copied, so that an entry that is kept does not keep its whole frame alive. */
export const withValue = (reader: ByteReader, head: BodyHead | undefined): Omit<Entry, "stamp"> | undefined => {
  if (head === undefined) return undefined
  const { valueBytes, ...body } = head
  return { ...body, value: reader.view(valueBytes).slice() }
}
