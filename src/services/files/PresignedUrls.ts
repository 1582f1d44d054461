import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

export interface LinkRequest {
  readonly method: "GET" | "PUT"
  /** Of the object in the bucket. */
  readonly key: string
  /** Seconds, a whole number from 1 to {@link maxLinkSeconds}. */
  readonly expiresIn: number
  /** Signed with a PUT, which must then send it: without, a link could store any type. */
  readonly contentType?: string
  /** Bytes, signed with a PUT, which must then have that many: without, a link would bypass every quota. */
  readonly contentLength?: number
}

export interface Link {
  readonly url: string
  /** Milliseconds since the epoch; at least what was asked for, and at most a quarter of it or an hour more. */
  readonly expiresAt: number
  /** What the request must send beside the URL. */
  readonly headers: { readonly [name: string]: string }
}

/**
 * - `NotConfigured`: there are no credentials. `BadRequest`: a life out of range, or a PUT without type and length;
 *   `index` says which request of a batch.
 */
export class PresignError extends Data.TaggedError("PresignError")<{
  readonly operation: "presign"
  readonly reason: "NotConfigured" | "BadRequest"
  readonly index?: number
}> {
  override get message(): string {
    return `links could not be signed: ${this.reason}`
  }
}

/** Links that let anyone who has one read or write an object at R2 itself, for a time, without a key. */
export class PresignedUrls extends Context.Tag("larder/PresignedUrls")<
  PresignedUrls,
  {
    /** One link for each request, in order. Costs no operation: signing is arithmetic. */
    readonly presign: (requests: ReadonlyArray<LinkRequest>) => Effect.Effect<ReadonlyArray<Link>, PresignError>
    /** Links that were signed, and links that were still good enough to be given again. */
    readonly statistics: () => { readonly signed: number; readonly reused: number }
  }
>() {}

/** Seven days: the longest life of a presigned link (SigV4). */
export const maxLinkSeconds = 604_800

/** Whether a link can be signed as asked for. */
export const isLegalRequest = ({ contentLength, contentType, expiresIn, key, method }: LinkRequest): boolean => {
  if (key === "" || !key.isWellFormed()) return false
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > maxLinkSeconds) return false
  if (method === "GET") return true
  return (
    contentType !== undefined &&
    /^[\x20-\x7e]{1,255}$/.test(contentType) &&
    contentLength !== undefined &&
    Number.isInteger(contentLength) &&
    contentLength >= 0
  )
}

/**
 * Seconds that a link lives longer than asked for, so that it can be given again until then: a quarter, at most an hour,
 * and never beyond seven days in all.
 */
export const marginOf = (expiresIn: number): number =>
  Math.min(Math.floor(expiresIn / 4), 3600, maxLinkSeconds - expiresIn)
