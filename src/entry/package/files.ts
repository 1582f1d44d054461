import * as Redacted from "effect/Redacted"
import * as PresignedUrlsAws from "../../layers/files/PresignedUrlsAws.ts"
import type { Link, LinkRequest } from "../../services/files/PresignedUrls.ts"
import { rejecting } from "./rejecting.ts"

export type { Link, LinkRequest }

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
