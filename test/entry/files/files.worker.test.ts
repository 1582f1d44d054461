import { env } from "cloudflare:test"
import * as fc from "fast-check"
import { beforeAll, describe, expect, it } from "vitest"
import type { ObjectInfo } from "../../../src/services/files/ObjectStore.ts"
import { fileWorker } from "../../support/files/fileWorker.ts"
import { migrated } from "../../support/files/migrated.ts"
import { referenceAnswer } from "../../support/files/referenceServer.ts"
import { refusalOf } from "../../support/http/httpHarness.ts"
import { runs } from "../../support/runs.ts"

const { FILES } = env as unknown as { readonly FILES: R2Bucket }

let db: D1Database
beforeAll(async () => {
  db = await migrated()
})

const unique = (name: string) => `${crypto.randomUUID()}/${name}`

const encoder = new TextEncoder()

type Headed = { readonly "X-API-KEY": string }

const text = (bytes: number) =>
  encoder.encode("time,key,size\n1790000000,S1,512\n".repeat(bytes / 32 + 1)).slice(0, bytes)

const noise = (bytes: number) => {
  const made = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(made.subarray(at, at + 65_536))
  return made
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])

const block = 131_072

describe("files over HTTP", () => {
  it("408: a body that stops on its way", async () => {
    const { send } = fileWorker({ BODY_DEADLINE: "50 millis" })
    let stop = () => {}
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(encoder.encode("a"))
        stop = () => controller.error(new Error("gone"))
      }
    })
    const path = `/api/v1/files/${unique("stalled.txt")}`
    await refusalOf(await send(path, { method: "PUT", body, ...{ duplex: "half" } }), "request-timeout")
    stop()
    await refusalOf(await send(path), "no-such-file")
  })

  it("keeps what it is given, compressed, and says how many bytes that takes", async () => {
    const { send } = fileWorker()
    const path = `/api/v1/files/${unique("a b/ü.csv")}`
    const body = text(200_000)
    const created = await send(path, { method: "PUT", body, headers: { "Content-Type": "text/csv" } })
    expect(created.status).toBe(201)
    expect(Number(created.headers.get("Larder-Stored-Bytes"))).toBeLessThan(20_000)
    const replaced = await send(path, { method: "PUT", body, headers: { "Content-Type": "text/csv" } })
    expect(replaced.status).toBe(204)
    const got = await send(path)
    expect(got.status).toBe(200)
    expect(got.headers.get("Content-Type")).toBe("text/csv")
    expect(got.headers.get("ETag")).toBe(replaced.headers.get("ETag"))
    expect(same(new Uint8Array(await got.arrayBuffer()), body)).toBe(true)
    const head = await send(path, { method: "HEAD" })
    expect(head.headers.get("Content-Length")).toBe("200000")
    expect((await send(path, { method: "DELETE" })).status).toBe(204)
    expect((await send(path)).status).toBe(404)
    expect((await send(path, { method: "DELETE" })).status).toBe(404)
  })

  it("answers random ranges, conditions and codings as a plain server does, byte for byte", async () => {
    const { send } = fileWorker()
    const objects = await Promise.all(
      [0, 1, 300, block - 1, block, block + 1, 2 * block + 7].flatMap((size) =>
        [["text/csv", text(size)] as const, ["image/png", noise(size)] as const].map(async ([type, body]) => {
          const path = `/api/v1/files/${unique("x")}`
          const put = await send(path, { method: "PUT", body, headers: { "Content-Type": type } })
          const storedBytes = Number(put.headers.get("Larder-Stored-Bytes"))
          const gzip = await send(path, { accepts: "gzip" })
          const coding = gzip.headers.has("Content-Encoding") ? ("gzip" as const) : ("identity" as const)
          const info: ObjectInfo = {
            key: path,
            bytes: size,
            storedBytes,
            coding,
            etag: put.headers.get("ETag")!.slice(1, -1),
            uploadedAt: Date.parse(put.headers.get("Last-Modified")!),
            contentType: type,
            metadata: {}
          }
          return { path, info, body, stored: new Uint8Array(await gzip.arrayBuffer()) }
        })
      )
    )
    expect(objects.some(({ info }) => info.coding === "gzip")).toBe(true)
    // The date of a change identifies a file once its second is over.
    const later = Math.max(...objects.map(({ info }) => info.uploadedAt)) + 1000
    while (Date.now() < later) await scheduler.wait(later - Date.now())
    const position = fc.oneof(fc.constantFrom(0, 1, block - 1, block, block + 1, 2 * block), fc.nat(300))
    const range = fc.oneof(
      fc.tuple(position, position).map(([a, b]) => `bytes=${a}-${b}`),
      position.map((a) => `bytes=${a}-`),
      position.map((n) => `bytes=-${n}`),
      fc.constantFrom("bytes=0-1,4-5", "bytes=x")
    )
    const tag = fc.constantFrom("own", "gzip", "weak", "other", "*")
    const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
    const request = fc.record({
      object: fc.constantFrom(...objects),
      method: fc.constantFrom("GET" as const, "GET" as const, "HEAD" as const),
      accepts: fc.constantFrom(undefined, "gzip", "br", "gzip;q=0", "*"),
      range: optional(range),
      tags: fc.record({ "If-Match": optional(tag), "If-None-Match": optional(tag), "If-Range": optional(tag) }),
      dates: fc.record({
        "If-Modified-Since": optional(fc.constantFrom(-1, 0, 1)),
        "If-Unmodified-Since": optional(fc.constantFrom(-1, 0, 1))
      })
    })
    const property = fc.asyncProperty(request, async ({ accepts, dates, method, object, range, tags }) => {
      const { body, info, path, stored } = object
      const named = {
        own: `"${info.etag}"`,
        gzip: `"${info.etag}-gzip"`,
        weak: `W/"${info.etag}"`,
        other: '"x"',
        "*": "*"
      }
      const headers: Record<string, string> = range === undefined ? {} : { Range: range }
      for (const [name, value] of Object.entries(tags)) if (value !== undefined) headers[name] = named[value]
      for (const [name, seconds] of Object.entries(dates)) {
        if (seconds !== undefined) headers[name] = new Date(info.uploadedAt + seconds * 1000).toUTCString()
      }
      const expected = referenceAnswer(info, method, new Headers(headers), accepts, Date.now())
      const answer = await send(path, { method, accepts, headers })
      const got = new Uint8Array(await answer.arrayBuffer())
      expect([answer.status, answer.headers.get("ETag")]).toStrictEqual([expected.status, expected.etag])
      if (expected.status === 416) expect(answer.headers.get("Content-Range")).toBe(`bytes */${expected.size}`)
      if (expected.slice === undefined) return
      const { length, offset } = expected.slice
      expect(answer.headers.get("Content-Length")).toBe(String(length))
      expect(answer.headers.get("Content-Encoding")).toBe(expected.coding === "gzip" ? "gzip" : null)
      const part = `bytes ${offset}-${offset + length - 1}/${expected.size}`
      expect(answer.headers.get("Content-Range")).toBe(expected.status === 206 ? part : null)
      const from = expected.coding === "gzip" ? stored : body
      const sent = method === "HEAD" ? new Uint8Array(0) : from.subarray(offset, offset + length)
      expect(same(got, sent)).toBe(true)
    })
    await fc.assert(property, { numRuns: runs(400) })
  })

  it("isolates owners by their keys", async () => {
    const { post, send } = fileWorker()
    const name = unique("mine")
    await send(`/api/v1/files/${name}`, { method: "PUT", body: "secret" })
    const other = { headers: { "X-API-KEY": "two" } }
    expect((await send(`/api/v1/files/${name}`, other)).status).toBe(404)
    expect((await send(`/api/v1/files/${name}`, { method: "DELETE", ...other })).status).toBe(404)
    expect(await (await send(`/api/v1/files?prefix=${encodeURIComponent(name)}`, other)).json()).toStrictEqual({
      files: []
    })
    expect((await post("/api/v1/storage/shares", { key: name, expiresIn: 9 }, other.headers)).status).toBe(404)
    expect(await (await send(`/api/v1/files/${name}`)).text()).toBe("secret")
    await refusalOf(await send(`/api/v1/files/${name}`, { headers: { "X-API-KEY": "no" } }), "unauthorized")
    const reader = { "X-API-KEY": "reader" }
    await refusalOf(await send(`/api/v1/files/${name}`, { method: "PUT", body: "x", headers: reader }), "forbidden")
  })

  it("leaves its files to an owner whose key is replaced, and takes nobody's", async () => {
    const secrets = Array.from({ length: 4 }, () => crypto.randomUUID())
    const [old, fresh, busy, admin] = secrets.map((key) => ({ "X-API-KEY": key })) as [Headed, Headed, Headed, Headed]
    const keyOf = (headers: Headed) => headers["X-API-KEY"]
    const API_KEYS = `${keyOf(old)}=read+write,${keyOf(fresh)}=read+write,${keyOf(busy)}=read+write,${keyOf(admin)}`
    const { post, send } = fileWorker({ API_KEYS })
    const put = (name: string, headers: Headed) =>
      send(`/api/v1/files/${name}`, {
        method: "PUT",
        body: name,
        headers: { ...headers, "Content-Type": "text/plain" }
      })
    const read = async (name: string, headers: Headed) => (await send(`/api/v1/files/${name}`, { headers })).status
    await put("a.txt", old)
    await put("busy.txt", busy)
    const { owner } = (await (await send("/api/v1/storage/users", { headers: old })).json()) as { owner: string }
    await refusalOf(await post("/api/v1/storage/users", { key: keyOf(busy) }, old), "key-in-use")
    await refusalOf(await post("/api/v1/storage/users", { key: keyOf(fresh), owner }, busy), "forbidden")
    const added = await post("/api/v1/storage/users", { key: keyOf(fresh), name: "since March" }, old)
    expect(added.status).toBe(201)
    const { id } = (await added.json()) as { id: string }
    await refusalOf(await post("/api/v1/storage/users", { key: keyOf(fresh) }, busy), "key-in-use")
    expect(await read("a.txt", fresh)).toBe(200)
    await put("b.txt", fresh)

    const rotated = fileWorker({ API_KEYS: `${keyOf(fresh)},${keyOf(admin)}` })
    const listed = await (await rotated.send("/api/v1/files", { headers: fresh })).json()
    expect(listed).toMatchObject({ files: [{ key: "a.txt" }, { key: "b.txt" }] })
    const usage = await (await rotated.send("/api/v1/storage/usage", { headers: fresh })).json()
    expect(usage).toMatchObject({ objects: 2, bytes: 10, storedBytes: 10 })
    const users = await (await rotated.send("/api/v1/storage/users", { headers: fresh })).json()
    expect(users).toMatchObject({ owner, users: [{ id, name: "since March" }] })
    // A lost key: an admin names the owner.
    const lost = { "X-API-KEY": crypto.randomUUID() }
    expect((await rotated.post("/api/v1/storage/users", { key: keyOf(lost), owner }, admin)).status).toBe(201)
    const found = fileWorker({ API_KEYS: keyOf(lost) })
    expect(await (await found.send("/api/v1/files/b.txt", { headers: lost })).text()).toBe("b.txt")
    expect((await found.send(`/api/v1/storage/users/${id}`, { method: "DELETE", headers: lost })).status).toBe(204)
    await refusalOf(
      await found.send(`/api/v1/storage/users/${id}`, { method: "DELETE", headers: lost }),
      "no-such-user"
    )
    expect((await fileWorker({ API_KEYS }).send("/api/v1/files/a.txt", { headers: fresh })).status).toBe(404)
  })

  it("counts the stored bytes of an owner as they change, as the sum over its files", async () => {
    const key = { "X-API-KEY": crypto.randomUUID() }
    const { send } = fileWorker({ API_KEYS: key["X-API-KEY"] })
    const stored = async () => {
      const usage = (await (await send("/api/v1/storage/usage", { headers: key })).json()) as { storedBytes: number }
      const list = (await (await send("/api/v1/files", { headers: key })).json()) as {
        files: ReadonlyArray<{ storedBytes: number }>
      }
      expect(usage.storedBytes).toBe(list.files.reduce((sum, { storedBytes }) => sum + storedBytes, 0))
      return usage.storedBytes
    }
    const put = (name: string, size: number) =>
      send(`/api/v1/files/${name}`, {
        method: "PUT",
        body: text(size),
        headers: { ...key, "Content-Type": "text/csv" }
      })
    await put("a", 5000)
    const one = await stored()
    expect(one).toBeGreaterThan(0)
    await put("b", 90_000)
    expect(await stored()).toBeGreaterThan(one)
    await put("b", 10)
    await stored()
    await send("/api/v1/files/a", { method: "DELETE", headers: key })
    expect(await stored()).toBe(10)
  })

  it.each([
    ["a%2F..%2Fb", 400],
    ["a%2F.%2Fb", 400],
    ["a//b", 400],
    ["a/", 400],
    ["a%00b", 400],
    ["a%5Cb", 400],
    ["%ff", 400],
    ["n".repeat(513), 400]
  ])("refuses the name %s", async (name, status) => {
    const { send } = fileWorker()
    expect((await send(`/api/v1/files/${name}`, { method: "PUT", body: "x" })).status).toBe(status)
    expect((await send(`/api/v1/files/${name}`)).status).toBe(status)
  })

  it("bills operations of R2 and rows of D1 in the ledger, by their names in the price table", async () => {
    const { send } = fileWorker()
    const path = `/api/v1/files/${unique("x.csv")}`
    await send(path, { method: "PUT", body: text(1000), headers: { "Content-Type": "text/csv" } })
    await (await send(path)).arrayBuffer()
    await (await send(path)).arrayBuffer()
    const ledger = (await (await send("/api/v1/ledger")).json()) as { total: { other: Record<string, number> } }
    const { other } = ledger.total
    expect(other).toMatchObject({ r2ClassA: 1, r2ClassB: 2 })
    expect(other.d1RowsWritten).toBeGreaterThan(3)
  })

  it("refuses what it could only ignore", async () => {
    const { send } = fileWorker()
    const path = `/api/v1/files/${unique("x")}`
    const put = (headers: Record<string, string>, query = "") =>
      send(path + query, { method: "PUT", body: "x", headers })
    await refusalOf(await put({ "Content-Type": "no type" }), "bad-header")
    await refusalOf(await put({ "Content-Encoding": "gzip" }), "unsupported-media-type")
    await refusalOf(await put({ "If-Modified-Since": new Date().toUTCString() }), "bad-header")
    await refusalOf(await put({ "If-None-Match": '"a"' }), "bad-header")
    await refusalOf(await put({}, "?ttl=0"), "bad-parameter")
    await refusalOf(await put({}, "?tll=1"), "bad-parameter")
    await refusalOf(await put({ "If-Match": "*" }), "condition-failed")
    expect((await put({ "If-None-Match": "*" })).status).toBe(201)
    await refusalOf(await put({ "If-None-Match": "*" }), "condition-failed")
    const { headers } = await send(path)
    expect((await put({ "If-Match": headers.get("ETag")! })).status).toBe(204)
  })

  it("shares a file by a link that needs no key, works, expires and can be withdrawn", async () => {
    const { fire, post, send } = fileWorker()
    const key = unique("report.html")
    await send(`/api/v1/files/${key}`, { method: "PUT", body: "<b>x</b>", headers: { "Content-Type": "text/html" } })
    const share = async (expiresIn: number) =>
      (await (await post("/api/v1/storage/shares", { key, expiresIn })).json()) as {
        readonly id: string
        readonly url: string
      }
    const { id, url } = await share(60)
    const open = (link: string) => send(link, { headers: { "X-API-KEY": "" } })
    const got = await open(url)
    expect([got.status, await got.text()]).toStrictEqual([200, "<b>x</b>"])
    expect(got.headers.get("Content-Security-Policy")).toContain("sandbox")
    expect((await send(`/api/v1/storage/shares/${id}`, { method: "DELETE" })).status).toBe(204)
    await refusalOf(await open(url), "no-such-share")
    const short = await share(60)
    await db.prepare("UPDATE shares SET expires_at = 1 WHERE id = ?").bind(short.id).run()
    await refusalOf(await open(short.url), "no-such-share")
    await fire("*/15 * * * *")
    expect(await db.prepare("SELECT * FROM shares WHERE id = ?").bind(short.id).first()).toBeNull()
    await refusalOf(await open(`${url}x`), "no-such-share")
  })

  it("uploads by parts, in any order, and finds what is missing", async () => {
    const { post, send } = fileWorker()
    const key = unique("big.bin")
    const size = 8 * 1024 * 1024 + 5
    const body = noise(size)
    const upload = (await (await post("/api/v1/storage/uploads", { key, bytes: size })).json()) as {
      readonly id: string
      readonly partBytes: number
    }
    const base = `/api/v1/storage/uploads/${upload.id}`
    const part = (n: number, bytes: Uint8Array) =>
      send(`${base}/parts/${n}`, { method: "PUT", body: bytes as BodyInit })
    expect((await part(2, body.slice(upload.partBytes))).status).toBe(204)
    await refusalOf(await post(`${base}/complete`, {}), "incomplete-upload")
    await refusalOf(await part(1, body.slice(0, 9)), "bad-parameter")
    await refusalOf(await part(3, body.slice(0, 9)), "bad-parameter")
    expect((await part(1, body.slice(0, upload.partBytes))).status).toBe(204)
    expect(await (await send(base)).json()).toMatchObject({ received: [1, 2], parts: 2 })
    expect((await send(base, { headers: { "X-API-KEY": "two" } })).status).toBe(404)
    expect((await post(`${base}/complete`, {})).status).toBe(200)
    const got = await send(`/api/v1/files/${key}`, { headers: { Range: `bytes=${upload.partBytes - 2}-` } })
    expect(same(new Uint8Array(await got.arrayBuffer()), body.slice(upload.partBytes - 2))).toBe(true)
    await refusalOf(await post(`${base}/complete`, {}), "no-such-upload")
  })

  it("a quota holds under requests at once, and what fails leaves nothing reserved", async () => {
    const worker = fileWorker({ API_KEYS: "quota", FILES_MAX_BYTES: "1000", FILES_MAX_OBJECTS: "4" })
    const as = { "X-API-KEY": "quota" }
    await Promise.all(
      ["a", "b", "c", "d", "e", "f"].map((name) =>
        worker.send(`/api/v1/files/q${name}`, { method: "DELETE", headers: as })
      )
    )
    const put = (name: string, bytes: number) =>
      worker.send(`/api/v1/files/q${name}`, {
        method: "PUT",
        body: noise(bytes),
        headers: { ...as, "Content-Length": String(bytes) }
      })
    const statuses = (await Promise.all(["a", "b", "c", "d", "e", "f"].map((name) => put(name, 300)))).map(
      (it) => it.status
    )
    expect([...statuses].sort()).toStrictEqual([201, 201, 201, 429, 429, 429])
    const refused = await put("g", 200)
    expect(refused.headers.get("Retry-After")).not.toBeNull()
    const usage = await (await worker.send("/api/v1/storage/usage", { headers: as })).json()
    expect(usage).toMatchObject({ bytes: 900, objects: 3, reservedBytes: 0 })
    const undeclared = (bytes: number) =>
      worker.send("/api/v1/files/qh", { method: "PUT", body: noise(bytes), headers: as })
    await refusalOf(await undeclared(101), "over-quota")
    expect((await undeclared(100)).status).toBe(201)
  })

  it("a file that has expired is gone at once, and its bytes are given back by the next sweep", async () => {
    const { fire, send } = fileWorker()
    const key = unique("old")
    await send(`/api/v1/files/${key}?ttl=1`, { method: "PUT", body: text(400) })
    await scheduler.wait(1100)
    await refusalOf(await send(`/api/v1/files/${key}`), "no-such-file")
    await fire("*/15 * * * *")
    expect(await db.prepare("SELECT * FROM files WHERE key = ?").bind(key).first()).toBeNull()
  })

  it("signs links in the order asked, and finds and counts what was put with one", async () => {
    const account = `links-${crypto.randomUUID()}`
    const { post, send } = fileWorker({
      API_KEYS: `${account},read-${account}=read`,
      R2_ACCOUNT_ID: "0123456789abcdef",
      R2_ACCESS_KEY_ID: "id",
      R2_SECRET_ACCESS_KEY: "not-a-real-secret"
    })
    const as = { "X-API-KEY": account }
    const wanted = [
      { method: "PUT", key: "a/b ü", expiresIn: 60, contentType: "text/csv", contentLength: 5 },
      { method: "GET", key: "a/b ü", expiresIn: 60 }
    ]
    const answer = await post("/api/v1/files/presign", { links: wanted }, as)
    const { links } = (await answer.json()) as { readonly links: ReadonlyArray<Record<string, string>> }
    expect(links.map(({ key, method }) => ({ key, method }))).toStrictEqual([
      { key: "a/b ü", method: "PUT" },
      { key: "a/b ü", method: "GET" }
    ])
    expect(links[0]!.headers).toStrictEqual({ "content-length": "5", "content-type": "text/csv" })
    expect(JSON.stringify(links)).not.toContain("not-a-real-secret")
    expect(await (await send("/api/v1/storage/usage", { headers: as })).json()).toMatchObject({ reservedBytes: 5 })
    const { hostname, pathname } = new URL(links[0]!.url!)
    expect(hostname).toBe("0123456789abcdef.r2.cloudflarestorage.com")
    await FILES.put(decodeURIComponent(pathname).slice("/larder-files/".length), "abcde")
    const listed = await (await send("/api/v1/files", { headers: as })).json()
    expect(listed).toMatchObject({ files: [{ key: "a/b ü", bytes: 5 }] })
    expect(await (await send("/api/v1/files/a/b%20%C3%BC", { headers: as })).text()).toBe("abcde")
    expect(await (await send("/api/v1/storage/usage", { headers: as })).json()).toMatchObject({ bytes: 5, objects: 1 })
    await refusalOf(
      await post("/api/v1/files/presign", { links: [{ ...wanted[0], contentLength: undefined }] }, as),
      "invalid-body"
    )
    await refusalOf(
      await post("/api/v1/files/presign", { links: wanted }, { "X-API-KEY": `read-${account}` }),
      "forbidden"
    )
  })

  it("says which binding is missing, and the cache goes on without", async () => {
    const { post, send } = fileWorker({ FILES: undefined, DB: undefined })
    await refusalOf(await send("/api/v1/files/x"), "no-database")
    const withoutBucket = fileWorker({ FILES: undefined })
    await refusalOf(await withoutBucket.send("/api/v1/files/x"), "no-bucket")
    await refusalOf(await withoutBucket.send("/api/v1/files/x", { method: "PUT", body: "x" }), "no-bucket")
    await refusalOf(
      await post("/api/v1/files/presign", { links: [{ method: "GET", key: "a", expiresIn: 1 }] }),
      "no-database"
    )
    expect((await send("/api/v1/cache/default/k", { method: "PUT", body: "1" })).ok).toBe(true)
  })
})
