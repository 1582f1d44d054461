import { inspect } from "node:util"
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3"
import { getSignedUrl } from "@aws-sdk/s3-request-presigner"
import { describe, expect, it } from "@effect/vitest"
import { AwsClient } from "aws4fetch"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { amzDate, signatureOf, signingKey } from "../../../src/layers/files/internal/sigV4.ts"
import * as PresignedUrlsAws from "../../../src/layers/files/PresignedUrlsAws.ts"
import { type LinkRequest, maxLinkSeconds } from "../../../src/services/files/PresignedUrls.ts"
import { credentials, secret } from "../../support/files/credentials.ts"
import { runs } from "../../support/runs.ts"

const noon = Date.UTC(2026, 10, 27, 12, 0, 0)

const made = (now: () => number = () => noon) => PresignedUrlsAws.make(credentials, now)

const presign = (service: ReturnType<typeof made>, requests: ReadonlyArray<LinkRequest>) =>
  Effect.runSync(service.presign(requests))

const get = (key: string, expiresIn = 3600): LinkRequest => ({ method: "GET", key, expiresIn })

const put = (key: string, contentType = "text/csv", contentLength = 12): LinkRequest => ({
  method: "PUT",
  key,
  expiresIn: 600,
  contentType,
  contentLength
})

const key = fc
  .string({ minLength: 1, maxLength: 60, unit: "grapheme" })
  .filter((text) => text.isWellFormed() && !text.split("/").some((it) => it === "." || it === ".." || it === ""))

const parts = (url: string) => {
  const { host, pathname, search } = new URL(url)
  const query = search
    .slice(1)
    .split("&")
    .map((pair) => pair.split("=") as [string, string])
  const value = (name: string) => query.find(([one]) => one === name)?.[1]
  return { host, pathname, query: query.filter(([name]) => name !== "X-Amz-Signature"), value }
}

describe("PresignedUrlsAws", () => {
  it("signs as aws4fetch does, whatever the key", async () => {
    const client = new AwsClient({
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: secret,
      service: "s3",
      region: "auto"
    })
    const property = fc.asyncProperty(key, fc.boolean(), async (name, writes) => {
      const [link] = presign(made(), [writes ? put(name) : get(name)])
      const { pathname, value } = parts(link!.url)
      const url = new URL(`${credentials.endpoint}${pathname}`)
      url.searchParams.set("X-Amz-Expires", value("X-Amz-Expires")!)
      const theirs = await client.sign(url.toString(), {
        method: writes ? "PUT" : "GET",
        headers: link!.headers,
        aws: { signQuery: true, allHeaders: true, datetime: amzDate(noon) }
      })
      expect(value("X-Amz-Signature")).toBe(parts(theirs.url).value("X-Amz-Signature"))
    })
    await fc.assert(property, { numRuns: runs(100) })
  })

  it("computes the signature that AWS publishes as an example (S3 API reference, sigv4-query-string-auth)", () => {
    const date = "20130524T000000Z"
    const query =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
      `&X-Amz-Date=${date}&X-Amz-Expires=86400&X-Amz-SignedHeaders=host`
    const headers = [["host", "examplebucket.s3.amazonaws.com"]] as const
    const key = signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", date, "us-east-1")
    expect(signatureOf({ method: "GET", path: "/test.txt", query, headers }, key, date, "us-east-1")).toBe(
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
  })

  it("computes the signatures of AWS's own presigner, whatever the key, the moment, the life and the secret", async () => {
    const { bucket: Bucket, endpoint } = credentials
    const signableHeaders = new Set(["content-type", "content-length"])
    const property = async (
      Key: string,
      at: number,
      expiresIn: number,
      region: string,
      [accessKeyId, secretAccessKey]: readonly [string, string],
      [ContentType, ContentLength]: readonly [string, number]
    ) => {
      const client = new S3Client({
        region,
        endpoint,
        credentials: { accessKeyId, secretAccessKey },
        forcePathStyle: true,
        requestChecksumCalculation: "WHEN_REQUIRED"
      })
      const date = amzDate(at)
      const sent: Record<string, string> = {
        host: new URL(endpoint).host,
        "content-type": ContentType,
        "content-length": String(ContentLength)
      }
      for (const [method, command] of [
        ["GET", new GetObjectCommand({ Bucket, Key })],
        ["PUT", new PutObjectCommand({ Bucket, Key, ContentType, ContentLength })]
      ] as const) {
        const options = { expiresIn, signingDate: new Date(at), signableHeaders }
        const { pathname: path, query, value } = parts(await getSignedUrl(client, command as GetObjectCommand, options))
        const signed = decodeURIComponent(value("X-Amz-SignedHeaders")!).split(";")
        if (method === "PUT") expect(signed).toContain("content-type")
        const canonical = query
          .map(([name, text]) => `${name}=${text}`)
          .sort()
          .join("&")
        const headers = signed.map((name) => [name, sent[name]!] as const)
        const mine = signatureOf(
          { method, path, query: canonical, headers },
          signingKey(secretAccessKey, date, region),
          date,
          region
        )
        expect(mine).toBe(value("X-Amz-Signature"))
      }
    }
    const moment = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2099, 11, 31) })
    const word = fc.stringMatching(/^[A-Za-z0-9/+=_-]{16,64}$/)
    const type = fc.constantFrom("text/csv", "text/plain; charset=utf-8", 'multipart/mixed; boundary="a b"')
    await fc.assert(
      fc.asyncProperty(
        key,
        moment,
        fc.integer({ min: 1, max: maxLinkSeconds }),
        fc.constantFrom("auto", "us-east-1", "eu-central-1"),
        fc.tuple(fc.stringMatching(/^[A-Z0-9]{16,32}$/), word),
        fc.tuple(type, fc.nat(5_000_000_000)),
        property
      ),
      {
        numRuns: runs(60),
        examples: [
          "data/o/a b/ü.csv",
          "plain",
          "it's (1)*!.txt",
          "a//b",
          "~tilde-_.",
          "%2F%25",
          "+ &=?#",
          "日本/😀"
        ].map((Key) => [Key, noon, 600, "auto", [credentials.accessKeyId, secret], ["text/csv", 12]] as const) as never
      }
    )
  })

  it("signs type and length of a PUT, and says what must be sent", () => {
    const [link] = presign(made(), [put("a", "text/csv;  charset=utf-8", 0)])
    expect(parts(link!.url).value("X-Amz-SignedHeaders")).toBe("content-length%3Bcontent-type%3Bhost")
    expect(link!.headers).toStrictEqual({ "content-type": "text/csv; charset=utf-8", "content-length": "0" })
  })

  it("gives a link again while it lives as long as asked for, and never one that does not", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 4_000_000 }), fc.integer({ min: 1, max: 20_000 })))
    const property = fc.property(steps, fc.nat(999), (moves, fraction) => {
      let at = noon + fraction
      const service = made(() => at)
      for (const [millis, expiresIn] of moves) {
        at += millis
        const [link] = presign(service, [get("k", expiresIn)])
        const { value } = parts(link!.url)
        expect(link!.expiresAt - at).toBeGreaterThanOrEqual(expiresIn * 1000)
        expect(link!.expiresAt - at).toBeLessThanOrEqual((expiresIn + Math.min(expiresIn / 4, 3600) + 1) * 1000)
        const from = Date.parse(value("X-Amz-Date")!.replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5"))
        expect(from + Number(value("X-Amz-Expires")) * 1000).toBe(link!.expiresAt)
      }
    })
    fc.assert(property)
    let at = noon
    const service = made(() => at)
    const [first] = presign(service, [get("k", 3600)])
    at += 900_000
    expect(presign(service, [get("k", 3600)])).toStrictEqual([first])
    at += 1
    expect(presign(service, [get("k", 3600)])).not.toStrictEqual([first])
    expect(service.statistics()).toStrictEqual({ signed: 2, reused: 1 })
  })

  it("gives seven days when seven days are asked for, not a second more or less", () => {
    for (const fraction of [0, 1, 999]) {
      const [link] = presign(
        made(() => noon + fraction),
        [get("k", maxLinkSeconds)]
      )
      expect(parts(link!.url).value("X-Amz-Expires")).toBe(String(maxLinkSeconds))
      expect(link!.expiresAt).toBeGreaterThanOrEqual(noon + fraction + maxLinkSeconds * 1000)
    }
  })

  it.each([
    ["a life of 0 s", get("k", 0)],
    ["a life over seven days", get("k", maxLinkSeconds + 1)],
    ["a fraction of a second", get("k", 1.5)],
    ["no key", get("")],
    ["a PUT without length", { method: "PUT", key: "k", expiresIn: 1, contentType: "text/csv" }],
    ["a PUT without type", { method: "PUT", key: "k", expiresIn: 1, contentLength: 1 }],
    ["a type with a line break", put("k", "text/csv\r\nx: y")]
  ] as ReadonlyArray<
    readonly [string, LinkRequest]
  >)("refuses %s, and says which request of the batch", (_, request) => {
    const error = Effect.runSync(Effect.flip(made().presign([get("fine"), request])))
    expect(error).toMatchObject({ reason: "BadRequest", index: 1 })
  })

  it("shows its secret to nobody who prints it", () => {
    const service = made()
    presign(service, [get("k")])
    const shown = [
      inspect(credentials, { depth: 9 }),
      JSON.stringify(credentials),
      String(credentials),
      inspect(service)
    ]
    for (const text of shown) expect(text).not.toContain(secret)
    expect(Redacted.value(credentials.secretAccessKey)).toBe(secret)
  })
})
