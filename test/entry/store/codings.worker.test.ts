import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { gunzipSync } from "node:zlib"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"
import { runs } from "../../support/runs.ts"

renewedObject()

const collections = JSON.stringify({ docs: { compress: true }, plain: {} })

const prose = "Larder keeps what is asked for often where asking costs nothing. ".repeat(20)

describe.each(["on", "off"])("a compressed value over HTTP, FEATURE_FLAG_DO_CACHE %s", (flag) => {
  const bindings = { ...(env as unknown as Env), COLLECTIONS: collections, FEATURE_FLAG_DO_CACHE: flag } as Env
  const isolates = [{ ...bindings }, { ...bindings }].map((own) => Isolates.serve(own as Env))

  interface Asked extends RequestInit {
    /** The client's own `Accept-Encoding`. */
    readonly accepts?: string | undefined
    readonly isolate?: number
  }

  const ask = async (path: string, { accepts, headers, isolate = 0, ...init }: Asked = {}): Promise<Response> => {
    const context = createExecutionContext()
    const request = new Request(`https://larder.test/api/v1/cache/${path}`, {
      ...init,
      headers: { "X-API-KEY": "test", ...headers },
      cf: { clientAcceptEncoding: accepts }
    } as RequestInit)
    const response = await isolates[isolate]!(request, context)
    await waitOnExecutionContext(context)
    return response
  }

  const put = (path: string, body: string, type = "text/plain", more: Record<string, string> = {}) =>
    ask(path, { method: "PUT", body, headers: { "Content-Type": type, ...more } })

  const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())

  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

  it("is handed out as it is stored to who accepts that, from every tier, and decoded to everybody else", async () => {
    const key = `docs/${crypto.randomUUID()}`
    await put(key, prose)
    for (const isolate of [0, 1, 1]) {
      const coded = await ask(key, { accepts: "br;q=0.5, gzip", isolate })
      expect([coded.status, coded.headers.get("Content-Encoding"), coded.headers.get("Vary")]).toStrictEqual([
        200,
        "gzip",
        "Accept-Encoding"
      ])
      expect(coded.headers.get("Content-Type")).toBe("text/plain")
      const bytes = await bytesOf(coded)
      expect(bytes.byteLength).toBeLessThan(prose.length / 3)
      expect(text(gunzipSync(bytes))).toBe(prose)
      for (const accepts of [undefined, "", "identity", "gzip;q=0", "br", "gzip;q=0.1, identity;q=0.9"]) {
        const plain = await ask(key, { accepts, isolate })
        expect([plain.headers.get("Content-Encoding"), plain.headers.get("Vary")]).toStrictEqual([
          null,
          "Accept-Encoding"
        ])
        expect(text(await bytesOf(plain)), accepts).toBe(prose)
      }
      const head = await ask(key, { method: "HEAD", accepts: "gzip", isolate })
      expect([head.headers.get("Content-Encoding"), head.headers.get("Content-Length")]).toStrictEqual([
        "gzip",
        String(bytes.byteLength)
      ])
    }
  })

  it("has an entity tag for each coding, which a revalidation and a condition of a write may name", async () => {
    const key = `docs/${crypto.randomUUID()}`
    await put(key, prose)
    const [gzip, plain] = [
      (await ask(key, { accepts: "gzip" })).headers.get("ETag")!,
      (await ask(key)).headers.get("ETag")!
    ]
    expect(gzip).toBe(plain.replace(/"$/, '-gzip"'))
    const revalidated = (tag: string, accepts?: string) =>
      ask(key, { accepts, headers: { "If-None-Match": tag } }).then(({ headers, status }) => [
        status,
        headers.get("ETag")
      ])
    expect(await revalidated(gzip, "gzip")).toStrictEqual([304, gzip])
    expect(await revalidated(plain)).toStrictEqual([304, plain])
    expect(await revalidated(gzip)).toStrictEqual([200, plain])
    expect(await revalidated(plain, "gzip")).toStrictEqual([200, gzip])
    if (flag === "off") return
    expect((await put(key, "other", "text/plain", { "If-Match": '"AAAAAAAAAAAAAAAAAAAAAA-gzip"' })).status).toBe(412)
    expect((await put(key, "other", "text/plain", { "If-None-Match": gzip })).status).toBe(412)
    expect((await put(key, `${prose}2`, "text/plain", { "If-Match": gzip })).status).toBe(204)
  })

  it("is what was put, whatever its type says and its reader accepts", async () => {
    const types = ["text/plain", "application/json", "image/png", "text/plain;larder=gzip.AAAAAAAAAAAAAAAAAAAAAA"]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("docs", "plain"),
        fc.constantFrom(...types),
        fc.constantFrom("gzip", "br, gzip", "*", "deflate", undefined),
        fc.nat(200),
        async (collection, type, accepts, repeats) => {
          const key = `${collection}/${crypto.randomUUID()}`
          const body = JSON.stringify({ text: "so it is said ".repeat(repeats) })
          await put(key, body, type)
          for (const isolate of [0, 1]) {
            const response = await ask(key, { accepts, isolate })
            expect(response.headers.get("Content-Type")).toBe(type)
            const bytes = await bytesOf(response)
            expect(text(response.headers.has("Content-Encoding") ? gunzipSync(bytes) : bytes)).toBe(body)
            if (collection === "plain") expect(response.headers.get("Vary")).toBe(null)
          }
        }
      ),
      { numRuns: runs(50) }
    )
  })

  it("is plain in a batch", async () => {
    const key = crypto.randomUUID()
    await put(`docs/${key}`, prose)
    const response = await ask("docs/batch", {
      method: "POST",
      accepts: "gzip",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ get: [key] })
    })
    expect(await response.json()).toMatchObject({ get: [{ value: prose, contentType: "text/plain" }] })
  })
})
