import { env } from "cloudflare:test"
import { AwsClient } from "aws4fetch"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import * as CompressionZlib from "../../../src/layers/compression/CompressionZlib.ts"
import * as ObjectStoreR2 from "../../../src/layers/files/ObjectStoreR2.ts"
import * as PresignedUrlsAws from "../../../src/layers/files/PresignedUrlsAws.ts"
import { dataKey } from "../../../src/services/files/model/StoredObject.ts"
import type { LinkRequest } from "../../../src/services/files/PresignedUrls.ts"
import { credentials, secret } from "../../support/files/credentials.ts"

const { FILES } = env as unknown as { readonly FILES: R2Bucket }

const client = new AwsClient({
  accessKeyId: credentials.accessKeyId,
  secretAccessKey: secret,
  service: "s3",
  region: "auto"
})

/** R2's S3 interface in front of the local bucket: signs every request again, and serves none that was signed otherwise. */
const s3 = async (request: Request, at: number): Promise<Response> => {
  const url = new URL(request.url)
  const { searchParams } = url
  const given = searchParams.get("X-Amz-Signature")
  const date = searchParams.get("X-Amz-Date") ?? ""
  const signed = (searchParams.get("X-Amz-SignedHeaders") ?? "").split(";").filter((name) => name !== "host")
  for (const name of [...searchParams.keys()]) if (name !== "X-Amz-Expires") searchParams.delete(name)
  const headers = Object.fromEntries(signed.map((name) => [name, request.headers.get(name) ?? ""]))
  const again = await client.sign(url.toString(), {
    method: request.method,
    headers,
    aws: { signQuery: true, allHeaders: true, datetime: date }
  })
  if (given === null || new URL(again.url).searchParams.get("X-Amz-Signature") !== given) {
    return new Response("SignatureDoesNotMatch", { status: 403 })
  }
  const from = Date.parse(date.replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5"))
  if (at > from + 1000 * Number(searchParams.get("X-Amz-Expires"))) return new Response("Expired", { status: 403 })
  const key = decodeURIComponent(url.pathname.slice(credentials.bucket.length + 2))
  if (request.method === "PUT") {
    const body = await request.arrayBuffer()
    if (signed.includes("content-length") && String(body.byteLength) !== headers["content-length"]) {
      return new Response("IncompleteBody", { status: 400 })
    }
    await FILES.put(key, body, { httpMetadata: { contentType: headers["content-type"] ?? "" } })
    return new Response(null)
  }
  const found = await FILES.get(key)
  if (found === null) return new Response(null, { status: 404 })
  const answered = new Headers()
  found.writeHttpMetadata(answered as never)
  return new Response(found.body as never, { headers: answered, encodeBody: "manual" })
}

const presigned = PresignedUrlsAws.make(credentials, Date.now)

const linkTo = async (request: LinkRequest) => (await Effect.runPromise(presigned.presign([request])))[0]!

const text = new TextEncoder().encode("time,key,size\n".repeat(20_000))

describe("presigned links at R2", () => {
  it("a link to a compressed object gives one gzip member that any client decodes", async () => {
    const key = `links-${crypto.randomUUID()}/a b ü.csv`
    const store = ObjectStoreR2.make(FILES, CompressionZlib.make())
    const info = await Effect.runPromise(store.put(key, text, { contentType: "text/csv", limit: 2 ** 20 }))
    expect(info.coding).toBe("gzip")
    const { url } = await linkTo({ method: "GET", key: dataKey(key), expiresIn: 60 })
    const answer = await s3(new Request(url), Date.now())
    expect([answer.status, answer.headers.get("Content-Encoding")]).toStrictEqual([200, "gzip"])
    const decoded = answer.body!.pipeThrough(new DecompressionStream("gzip") as never)
    expect(new Uint8Array(await new Response(decoded as never).arrayBuffer()).byteLength).toBe(text.byteLength)
  })

  it("a link to put with stores exactly what it was signed for", async () => {
    const key = `links-${crypto.randomUUID()}`
    const request = {
      method: "PUT",
      key: dataKey(key),
      expiresIn: 60,
      contentType: "text/csv",
      contentLength: 4
    } as const
    const { headers, url } = await linkTo(request)
    const put = (more: Record<string, string>, body: string) =>
      s3(new Request(url, { method: "PUT", headers: { ...headers, ...more }, body }), Date.now())
    expect((await put({ "content-type": "text/html" }, "abcd")).status).toBe(403)
    expect((await put({ "content-length": "5" }, "abcde")).status).toBe(403)
    expect((await put({}, "abcde")).status).toBe(400)
    expect(await FILES.head(dataKey(key))).toBeNull()
    expect((await put({}, "abcd")).status).toBe(200)
    const store = ObjectStoreR2.make(FILES, CompressionZlib.make())
    const found = await Effect.runPromise(store.head(key))
    expect(found).toMatchObject({ value: { bytes: 4, storedBytes: 4, coding: "identity", contentType: "text/csv" } })
  })

  it("a link that was changed, or has expired, is refused", async () => {
    const key = `links-${crypto.randomUUID()}`
    await FILES.put(dataKey(key), "secret")
    await FILES.put(dataKey(`${key}x`), "another's")
    const { expiresAt, url } = await linkTo({ method: "GET", key: dataKey(key), expiresIn: 60 })
    const status = async (changed: string, method = "GET", at = Date.now()) =>
      (await s3(new Request(changed, { method }), at)).status
    expect(await status(url)).toBe(200)
    expect(await status(url, "GET", expiresAt)).toBe(200)
    expect(await status(url, "GET", expiresAt + 1)).toBe(403)
    expect(await status(url, "PUT")).toBe(403)
    expect(await status(url.replace(key, `${key}x`))).toBe(403)
    expect(await status(url.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=604800"))).toBe(403)
    expect(await status(url.replace(/(X-Amz-Signature=)./, "$10"))).toBe(url.includes("X-Amz-Signature=0") ? 200 : 403)
    expect(await status(url.replace(/X-Amz-Signature=.*/, ""))).toBe(403)
    for (const name of ["X-Amz-Date", "X-Amz-SignedHeaders"]) {
      expect(await status(url.replace(new RegExp(`${name}=[^&]+`), `${name}=x`))).not.toBe(200)
    }
  })
})
