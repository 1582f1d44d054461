import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import {
  isLegalRequest,
  type Link,
  type LinkRequest,
  marginOf,
  maxLinkSeconds,
  PresignError,
  PresignedUrls
} from "../../services/files/PresignedUrls.ts"
import { amzDate, encoded, encodedPath, scopeOf, signatureOf, signingKey } from "./internal/sigV4.ts"

export interface Credentials {
  /** Of the S3 interface: `https://{account}.r2.cloudflarestorage.com`. */
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted<string>
}

type Headers = ReadonlyArray<readonly [name: string, value: string]>

/** R2 has one region. */
const region = "auto"

/** Links kept for reuse; the oldest go first. */
const maxLinks = 10_000

/** Signature Version 4, with one key derived a day, and links given again while they live as long as is asked for. */
export const make = (credentials: Credentials, now: () => number): Context.Tag.Service<PresignedUrls> => {
  const { host, origin } = new URL(credentials.endpoint)
  const bucketPath = `/${encoded(credentials.bucket)}`
  const links = new Map<string, Link>()
  let day: { readonly date: string; readonly key: Buffer } | undefined
  let signed = 0
  let reused = 0

  const keyOf = (date: string): Buffer => {
    if (day?.date !== date.slice(0, 8)) {
      day = { date: date.slice(0, 8), key: signingKey(Redacted.value(credentials.secretAccessKey), date, region) }
    }
    return day.key
  }

  /** The names are in the order of a canonical query. */
  const queryOf = (date: string, life: number, headers: Headers): string => {
    const credential = encoded(`${credentials.accessKeyId}/${scopeOf(date, region)}`)
    const names = encoded(headers.map(([name]) => name).join(";"))
    return (
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=${date}` +
      `&X-Amz-Expires=${life}&X-Amz-SignedHeaders=${names}`
    )
  }

  const sign = (request: LinkRequest, at: number): Link => {
    // The date has whole seconds, so a life counts from up to a second ago, or, where no longer one is allowed, from
    // up to a second ahead.
    const wanted = request.expiresIn + marginOf(request.expiresIn) + (at % 1000 === 0 ? 0 : 1)
    const life = Math.min(wanted, maxLinkSeconds)
    const from = life === wanted ? Math.floor(at / 1000) : Math.ceil(at / 1000)
    const date = amzDate(from * 1000)
    const headers = signedHeaders(request, host)
    const query = queryOf(date, life, headers)
    const path = `${bucketPath}/${encodedPath(request.key)}`
    const signature = signatureOf({ method: request.method, path, query, headers }, keyOf(date), date, region)
    return {
      url: `${origin}${path}?${query}&X-Amz-Signature=${signature}`,
      expiresAt: (from + life) * 1000,
      headers: Object.fromEntries(headers.filter(([name]) => name !== "host"))
    }
  }

  const linkFor = (request: LinkRequest, at: number): Link => {
    const id = JSON.stringify([
      request.method,
      request.key,
      request.expiresIn,
      request.contentType,
      request.contentLength
    ])
    const known = links.get(id)
    if (known !== undefined && known.expiresAt - at >= request.expiresIn * 1000) {
      reused += 1
      return known
    }
    const link = sign(request, at)
    signed += 1
    links.delete(id)
    links.set(id, link)
    if (links.size > maxLinks) links.delete(links.keys().next().value!)
    return link
  }

  return {
    presign: (requests) =>
      Effect.suspend(() => {
        const index = requests.findIndex((request) => !isLegalRequest(request))
        if (index !== -1) return Effect.fail(new PresignError({ operation: "presign", reason: "BadRequest", index }))
        const at = now()
        return Effect.succeed(requests.map((request) => linkFor(request, at)))
      }),
    statistics: () => ({ signed, reused })
  }
}

export const layer = (credentials: Credentials): Layer.Layer<PresignedUrls> =>
  Layer.effect(
    PresignedUrls,
    Effect.clockWith((clock) => Effect.sync(() => make(credentials, () => clock.unsafeCurrentTimeMillis())))
  )

// internal

const signedHeaders = (request: LinkRequest, host: string): Headers =>
  request.method === "GET"
    ? [["host", host]]
    : [
        ["content-length", String(request.contentLength)],
        ["content-type", request.contentType!.trim().replace(/ +/g, " ")],
        ["host", host]
      ]
