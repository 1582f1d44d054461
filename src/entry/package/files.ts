import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as CompressionZlib from "../../layers/compression/CompressionZlib.ts"
import * as ObjectStoreR2 from "../../layers/files/ObjectStoreR2.ts"
import * as PresignedUrlsAws from "../../layers/files/PresignedUrlsAws.ts"
import type { ObjectInfo, ObjectOptions, PutOptions, WriteCondition } from "../../services/files/ObjectStore.ts"
import type { Link, LinkRequest } from "../../services/files/PresignedUrls.ts"
import { rejecting } from "./rejecting.ts"

export type { Link, LinkRequest, ObjectInfo, ObjectOptions, PutOptions, WriteCondition }

/** Of an R2 API token with access to the bucket. */
export interface LinkCredentials {
  /** `https://<account>.r2.cloudflarestorage.com` */
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface Presigner {
  /** One link for each request, in order. Costs no operation, and one that is still good enough is given again. */
  readonly presign: (requests: ReadonlyArray<LinkRequest>) => Promise<ReadonlyArray<Link>>
  readonly statistics: () => { readonly signed: number; readonly reused: number }
}

/**
 * Links that let anyone who has one read or write an object of R2 for a time. Make one for each isolate. Needs the
 * compatibility flag `nodejs_compat`.
 *
 * @example
 * const [link] = await presigner(credentials).presign([{ method: "GET", key: "report.pdf", expiresIn: 600 }])
 */
export const presigner = ({ secretAccessKey, ...credentials }: LinkCredentials): Presigner => {
  const { presign, statistics } = PresignedUrlsAws.make(
    { ...credentials, secretAccessKey: Redacted.make(secretAccessKey) },
    Date.now
  )
  return { presign: (requests) => rejecting(presign(requests)), statistics }
}

/** A part of the content, in bytes; to the end without `length`. */
export interface ObjectPart {
  readonly offset: number
  readonly length?: number
}

/** Objects of up to 5 GiB in R2, compressed where that saves a tenth, without anyone noticing but by their size. */
export interface Objects {
  /** Null where there is none. Rejects with a `RangeError` where the part begins behind the end. */
  readonly get: (
    key: string,
    part?: ObjectPart
  ) => Promise<{ readonly info: ObjectInfo; readonly body: ReadableStream<Uint8Array> } | null>
  readonly head: (key: string) => Promise<ObjectInfo | null>
  /** All of it or nothing. `limit`: bytes that are taken at most. */
  readonly put: (key: string, body: Uint8Array | ReadableStream<Uint8Array>, options: PutOptions) => Promise<ObjectInfo>
  /** Free of charge; at most 500 keys. */
  readonly delete: (keys: ReadonlyArray<string>) => Promise<void>
  readonly list: (options?: {
    readonly prefix?: string
    readonly cursor?: string
    readonly limit?: number
  }) => Promise<{ readonly objects: ReadonlyArray<ObjectInfo>; readonly cursor: string | undefined }>
  /** False where there is no such object. */
  readonly copy: (from: string, to: string) => Promise<boolean>
}

/**
 * The objects of a bucket, under `data/` in it. Any part of a compressed one is read without the rest. A failure rejects
 * with an error whose `reason` says why. Make one for each isolate. Needs the compatibility flag `nodejs_compat`.
 *
 * @example
 * const objects = objectStore(env.BUCKET)
 * await objects.put("report.csv", request.body, { contentType: "text/csv", limit: 50_000_000 })
 */
export const objectStore = (bucket: R2Bucket): Objects => {
  const store = ObjectStoreR2.make(bucket, CompressionZlib.make())
  return {
    get: (key, part) =>
      rejecting(
        Effect.gen(function* () {
          const { length = Number.POSITIVE_INFINITY, offset } = part ?? { offset: 0 }
          const last = Number.isFinite(length) ? offset + length - 1 : undefined
          const opened = yield* store.open(key, part && { first: offset, last })
          if (Option.isNone(opened)) return null
          const { close, info, read } = opened.value
          if (part !== undefined && !(offset >= 0 && offset < info.bytes && length > 0)) {
            yield* close
            return yield* Effect.fail(new RangeError(`${key} has ${info.bytes} bytes`))
          }
          const body = yield* read("identity", { offset, length: Math.min(length, info.bytes - offset) })
          return { info, body }
        })
      ),
    head: (key) => rejecting(Effect.map(store.head(key), Option.getOrNull)),
    put: (key, body, options) => rejecting(store.put(key, body, options)),
    delete: (keys) => rejecting(store.delete(keys)),
    list: (options) => rejecting(store.list(options)),
    copy: (from, to) => rejecting(store.copy(from, to))
  }
}
