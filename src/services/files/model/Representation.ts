import { negotiate } from "../../base/model/AcceptEncoding.ts"
import { conditionsOf, evaluate, rangeApplies } from "../../base/model/Preconditions.ts"
import type { ObjectInfo } from "../ObjectStore.ts"
import { parseRange, resolveRange, type Slice } from "./ByteRange.ts"

/** What of an object a response carries. */
export interface Selected {
  readonly status: 200 | 206 | 304 | 412 | 416
  /** `gzip` when the stored gzip member is sent as it is. */
  readonly coding: "identity" | "gzip"
  /** The entity tag of that coding, with its quotes. */
  readonly etag: string
  /** Bytes of the whole representation. */
  readonly size: number
  /** The bytes of it to send; undefined when there is no body. */
  readonly slice: Slice | undefined
}

/** One tag for each coding, since a range counts bytes of what is encoded. */
export const entityTagOf = ({ etag }: Pick<ObjectInfo, "etag">, coding: "identity" | "gzip"): string =>
  coding === "gzip" ? `"${etag}-gzip"` : `"${etag}"`

/**
 * Chooses coding, status and bytes for a GET or HEAD. A range is a range of the content itself, whatever the client
 * accepts, as most clients mean it; only one that resumes the gzip coding, and says so by `If-Range`, is a range of that.
 *
 * @param acceptEncoding the client's own header, not the one that Workers see
 */
export const select = (
  info: ObjectInfo,
  method: "GET" | "HEAD",
  headers: Headers,
  acceptEncoding: string | null | undefined,
  now: number
): Selected => {
  const range = method === "GET" ? parseRange(headers.get("Range") ?? "") : undefined
  const ifRange = headers.get("If-Range")
  const resumesGzip = range === undefined || ifRange?.trim() === entityTagOf(info, "gzip")
  const coding =
    info.coding === "gzip" && resumesGzip && negotiate(acceptEncoding, ["gzip"]) === "gzip" ? "gzip" : "identity"
  const etag = entityTagOf(info, coding)
  const size = coding === "gzip" ? info.storedBytes : info.bytes
  const selected = (status: Selected["status"], slice?: Slice): Selected => ({ status, coding, etag, size, slice })
  const validators = { etag, modifiedAt: info.uploadedAt }
  switch (evaluate(conditionsOf(headers), method, validators)) {
    case "failed":
      return selected(412)
    case "not-modified":
      return selected(304)
    case "proceed":
      break
  }
  const whole = { offset: 0, length: size }
  if (range === undefined || !rangeApplies(ifRange, validators, now)) return selected(200, whole)
  const slice = resolveRange(range, size)
  if (slice === "unsatisfiable") return selected(416)
  return slice === "all" ? selected(200, whole) : selected(206, slice)
}
