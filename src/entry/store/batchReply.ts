import type * as Schema from "effect/Schema"
import { concat } from "../../services/base/model/ByteCodec.ts"
import { servableContentType } from "../../services/store/model/ContentType.ts"
import { entityTag } from "../../services/store/model/EntityTag.ts"
import type { Lookup } from "../../services/store/Store.ts"
import { isoTime } from "../http/isoTime.ts"
import { JsonText } from "../http/jsonText.ts"
import { fromEntry } from "../http/jsonValue.ts"
import { bodyOf } from "../http/problem.ts"
import type { BatchReply } from "./apiCache.ts"

type Reply = Schema.Schema.Encoded<typeof BatchReply>
export type GetResult = NonNullable<Reply["get"]>[number]
export type WriteResult = NonNullable<Reply["set"]>[number]

/** Bytes of an answer after which no further value is put into it: the keys that are left are to be asked again. */
export const budgetBytes = 16 * 1024 * 1024

/** Bytes that the row of one value may have, where it is the only one: with all other rows an answer is below 32 MiB. */
const longestRowBytes = 28 * 1024 * 1024

const encoder = new TextEncoder()

/** The JSON text of the parts of a batch's reply, in the order given, as it is sent. */
export const textOf = (parts: ReadonlyArray<readonly [name: keyof Reply, rows: ReadonlyArray<Uint8Array>]>) => {
  const pieces: Array<Uint8Array> = [encoder.encode("{")]
  for (const [index, [name, rows]] of parts.entries()) {
    pieces.push(encoder.encode(`${index === 0 ? "" : ","}"${name}":[`))
    for (const [place, row] of rows.entries()) {
      if (place > 0) pieces.push(comma)
      pieces.push(row)
    }
    pieces.push(encoder.encode("]"))
  }
  pieces.push(encoder.encode("}"))
  return concat(pieces)
}

export const rowOf = (result: GetResult | WriteResult): Uint8Array => encoder.encode(JSON.stringify(result))

/** Rows of what was read, as many values as fit. */
export class ReadRows {
  readonly rows: Array<Uint8Array> = []
  #valueBytes = 0

  /** @param lookup undefined where the store left the key out because of the others' size */
  add(key: string, lookup: Lookup | undefined): void {
    const entry = lookup?.entry
    if (lookup !== undefined && entry === undefined) {
      this.rows.push(rowOf({ key, status: 404, found: false, tier: lookup.tier }))
      return
    }
    const left = this.#valueBytes === 0 ? longestRowBytes : budgetBytes - this.#valueBytes
    const row = lookup === undefined || entry!.value.byteLength > left ? undefined : foundRow(key, lookup)
    if (row !== undefined && row.byteLength <= left) {
      this.#valueBytes += row.byteLength
      this.rows.push(row)
    } else if (this.#valueBytes > 0) this.rows.push(rowOf({ key, status: 503, found: false, again: true }))
    else this.rows.push(rowOf(byItself(key)))
  }
}

const foundRow = (key: string, { entry, tier }: Lookup): Uint8Array => {
  const { contentType: kept, expiresAt } = entry!
  const found = fromEntry(entry!)
  const [name, text] =
    "base64" in found
      ? ["base64", JSON.stringify(found.base64)]
      : ["value", found.value instanceof JsonText ? found.value.text : JSON.stringify(found.value)]
  const front = JSON.stringify({ key, status: 200, found: true })
  const contentType = servableContentType(kept)
  const rest = JSON.stringify({ contentType, etag: entityTag(entry!), expiresAt: isoTime(expiresAt), tier })
  return encoder.encode(`${front.slice(0, -1)},"${name}":${text},${rest.slice(1)}`)
}

const byItself = (key: string): GetResult => {
  const { detail, status, title, type } = bodyOf("too-large", "this value is too large for a batch: read it by itself")
  return { key, status: status as 413, found: false, problem: { type, title, detail } }
}

const comma = encoder.encode(",")
