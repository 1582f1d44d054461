import { Miniflare } from "miniflare"
import { afterAll, beforeAll, expect, it } from "vitest"
import { bundled } from "../../support/deployed.ts"
import { moduleOf } from "../../support/miniflare.ts"

/** Bound to the Worker's `Larder`: each path is a story, answered with what came of it. */
const caller = `
const text = (entry) => entry && new TextDecoder().decode(entry.value)
const refusal = async (call) => { try { await call; return "none" } catch (error) { return String(error.message) } }
const stories = {
  async entries({ LARDER }) {
    const written = await LARDER.set("default", "a", { value: "A" })
    const found = await LARDER.get("default", "a")
    await LARDER.set("default", "b", { value: new Uint8Array([1, 2]), contentType: "x/y", ttl: 60, tags: ["t"] })
    const b = await LARDER.get("default", "b")
    const many = await LARDER.getMany("default", ["a", "none", "b"])
    return { written, a: text(found), type: found.contentType, end: found.expiresAt, none: await LARDER.get("default", "none"),
      b: [...b.value], life: (b.expiresAt - Date.now()) / 1000, many: many.map(({ ok, value }) => [ok, value && value.contentType]) }
  },
  async changes({ LARDER }) {
    const results = await LARDER.writeMany("default", [{ key: "c", value: "C" }, { key: "a", remove: true }])
    const { keys, cursor } = await LARDER.list("default", { limit: 10 })
    const invalidated = await LARDER.invalidateTags(["t"])
    return { results, keys: keys.map(({ key }) => key), cursor, bound: typeof invalidated.boundSeconds,
      b: await LARDER.get("default", "b"), deleted: await LARDER.delete("default", "c"), c: await LARDER.get("default", "c") }
  },
  async conditions({ LARDER }) {
    const put = (value, conditions) => LARDER.set("default", "cas", { value, ...conditions })
    await put("1", { ifNoneMatch: "*" })
    const { etag } = await LARDER.get("default", "cas")
    const taken = await refusal(put("2", { ifNoneMatch: "*" }))
    await put("2", { ifMatch: etag })
    const overtaken = await refusal(put("3", { ifMatch: etag }))
    const [batched] = await LARDER.writeMany("default", [{ key: "cas", remove: true, ifMatch: etag }])
    const kept = text(await LARDER.get("default", "cas"))
    const deleted = await LARDER.delete("default", "cas", { ifMatch: (await LARDER.get("default", "cas")).etag })
    return { taken, overtaken, batched, kept, deleted, gone: await LARDER.get("default", "cas"),
      broken: await refusal(put("4", { ifMatch: "no quotes" })) }
  },
  async loads({ LARDER }) {
    let loads = 0
    const load = async () => { loads++; return { value: "loaded", ttl: 60 } }
    const all = await Promise.all(Array.from({ length: 5 }, () => LARDER.getOrLoad("pages", "p", load)))
    const none = await LARDER.getOrLoad("pages", "q", async () => null)
    return { values: all.map(text), loads, none, kept: text(await LARDER.get("pages", "p")),
      failed: await refusal(LARDER.getOrLoad("pages", "r", async () => { throw new Error("no") })) }
  },
  async session({ LARDER }) {
    const session = await LARDER.session()
    await session.set("default", "s", { value: "S" })
    const found = { s: text(await session.get("default", "s")), cleared: await session.clear("default"), gone: await session.get("default", "s") }
    session[Symbol.dispose]()
    return found
  },
  async refusals({ LARDER }) {
    return [
      await refusal(LARDER.get("nothing", "a")),
      await refusal(LARDER.get("default", "")),
      await refusal(LARDER.set("alert-rules", "a", { value: "1" })),
      await refusal(LARDER.get("alert-rules", "a")),
      await refusal(LARDER.set("default", "a", { value: "1", ttl: 0.5 })),
      await refusal(LARDER.set("static", "a", { value: "1" }))
    ]
  },
  async shared({ LARDER, HTTP }) {
    const at = "https://larder.test/api/v1/cache/default/shared"
    const headers = { "X-API-KEY": "test" }
    await HTTP.fetch(at, { method: "PUT", headers, body: "by HTTP" })
    const read = await LARDER.get("default", "shared")
    await LARDER.set("default", "shared", { value: "by RPC" })
    const { total } = await LARDER.inspect()
    return [text(read), await (await HTTP.fetch(at, { headers })).text(), total.logical.writes > 0]
  }
}
export default { fetch: async (request, env) => Response.json(await stories[new URL(request.url).pathname.slice(1)](env)) }
`

let platform: Miniflare

beforeAll(async () => {
  const larder = {
    name: "larder",
    ...moduleOf(await bundled()),
    bindings: { API_KEYS: "test", COLLECTIONS: '{"pages": {"ttl": 600}}' },
    kvNamespaces: ["CACHE_KV", "CACHE_DO_KV"],
    durableObjects: { CACHE_DO: { className: "CacheDurableObject", useSQLite: true } }
  }
  const bound = {
    name: "caller",
    ...moduleOf(caller),
    serviceBindings: { LARDER: { name: "larder", entrypoint: "Larder" }, HTTP: "larder" }
  }
  platform = new Miniflare({ workers: [bound, larder], cf: false })
  await platform.ready
})

afterAll(() => platform.dispose())

const story = async (name: string) => (await platform.dispatchFetch(`http://caller.test/${name}`)).json()

it("a Worker that is bound to ours reads and writes, alone and many at once", async () => {
  expect(await story("entries")).toMatchObject({
    written: { acknowledged: "stored", replaced: false, expiresAt: null },
    a: "A",
    type: "text/plain",
    end: null,
    none: null,
    b: [1, 2],
    life: expect.closeTo(60, -1),
    many: [
      [true, "text/plain"],
      [true, null],
      [true, "x/y"]
    ]
  })
  expect(await story("changes")).toMatchObject({
    results: [
      { ok: true, value: { acknowledged: "stored", expiresAt: null } },
      { ok: true, value: { acknowledged: "stored" } }
    ],
    keys: ["b", "c"],
    cursor: null,
    bound: "number",
    b: null,
    deleted: "stored",
    c: null
  })
})

it("changes an entry only where it is as the caller has it", async () => {
  expect(await story("conditions")).toStrictEqual({
    taken: expect.stringMatching(/^ConditionFailed/),
    overtaken: expect.stringMatching(/^ConditionFailed/),
    batched: { ok: false, reason: "ConditionFailed" },
    kept: "2",
    deleted: "stored",
    gone: null,
    broken: expect.stringMatching(/^BadCondition/)
  })
})

it("loads what is absent once for all who ask at once, by a function of the caller", async () => {
  expect(await story("loads")).toStrictEqual({
    values: Array.from({ length: 5 }, () => "loaded"),
    loads: 1,
    none: null,
    kept: "loaded",
    failed: expect.stringContaining("LoadFailed")
  })
})

it("makes several calls in one session", async () => {
  expect(await story("session")).toStrictEqual({ s: "S", cleared: { complete: true }, gone: null })
})

it("is refused by name what it may not have", async () => {
  const refusals = (await story("refusals")) as ReadonlyArray<string>
  expect(refusals.map((it) => it.split(":")[0])).toStrictEqual([
    "NoSuchCollection",
    "BadKey",
    "ApplicationCollection",
    "ApplicationCollection",
    "BadTtl",
    "ReadOnly"
  ])
})

it("sees what others write over HTTP, and is seen by them", async () => {
  expect(await story("shared")).toStrictEqual(["by HTTP", "by RPC", true])
})
