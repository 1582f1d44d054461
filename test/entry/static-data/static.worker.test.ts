import { describe, expect, it } from "vitest"
import { open, problemOf, refusalOf } from "../../support/http/httpHarness.ts"

type Json = Record<string, unknown>

const json = async (response: Response): Promise<Json> => {
  expect(response.status).toBe(200)
  expect(response.headers.get("Content-Type")).toBe("application/json")
  return (await response.json()) as Json
}

const symbolsOf = async (client: ReturnType<typeof open>, query = ""): Promise<Array<Json>> =>
  (await json(await client.send(`/api/v1/data/symbols${query}`))).symbols as Array<Json>

describe("symbols", () => {
  it("are all of them, or those of a sector and an exchange", async () => {
    const client = open()
    expect((await symbolsOf(client)).length).toBe(72)
    const energy = await symbolsOf(client, "?sector=energy")
    expect(energy.length).toBeGreaterThanOrEqual(4)
    expect(energy.every(({ sector }) => sector === "energy")).toBe(true)
    const funds = await symbolsOf(client, "?sector=energy&exchange=ARCX")
    expect(funds.map(({ symbol }) => symbol)).toStrictEqual(["XLE"])
  })

  it("of a sector or an exchange that is none are refused with the names of those that are", async () => {
    const client = open()
    for (const [query, named] of [
      ["?sector=crypto", "energy, materials"],
      ["?sector=", "energy"],
      ["?exchange=NYSE", "XNYS, XNAS"],
      ["?sector=energy&sector=materials", "sector"]
    ] as const) {
      const { detail } = await refusalOf(await client.send(`/api/v1/data/symbols${query}`), "bad-parameter")
      expect(detail).toContain(named)
    }
  })

  it("are found one by one in any case", async () => {
    const client = open()
    for (const path of ["AAPL", "aapl"]) {
      expect(await json(await client.send(`/api/v1/data/symbols/${path}`))).toStrictEqual({
        symbol: "AAPL",
        name: "Apple",
        exchange: "XNAS",
        sector: "information-technology",
        kind: "stock",
        currency: "USD"
      })
    }
    expect((await json(await client.send("/api/v1/data/symbols/brk.b"))).name).toBe("Berkshire Hathaway")
    expect((await json(await client.send("/api/v1/data/symbols/SPY"))).sector).toBeNull()
    const { detail } = await refusalOf(await client.send("/api/v1/data/symbols/NOPE"), "no-such-symbol")
    expect(detail).toContain('"NOPE"')
  })
})

describe("static tables", () => {
  it("are served whole, and 304 while their version stands", async () => {
    const client = open()
    for (const table of ["symbols", "sectors", "exchanges", "holidays", "intervals", "currencies", "errors"]) {
      const path = `/api/v1/data/static/${table}`
      const response = await client.send(path)
      const tag = response.headers.get("ETag")!
      expect(response.headers.get("Cache-Control")).toBe("private, no-cache")
      const body = await json(response)
      expect(body.name).toBe(table)
      expect(tag).toBe(`"${body.version}"`)
      expect((body.rows as Array<unknown>).length).toBeGreaterThan(5)
      const again = await client.send(path, { headers: { "If-None-Match": tag } })
      expect(again.status).toBe(304)
      expect(await again.text()).toBe("")
      expect(again.headers.get("ETag")).toBe(tag)
      expect((await client.send(path, { headers: { "If-None-Match": '"other"' } })).status).toBe(200)
    }
    const list = await client.send("/api/v1/data/symbols?sector=energy")
    const same = await client.send("/api/v1/data/symbols", { headers: { "If-None-Match": list.headers.get("ETag")! } })
    expect(same.status).toBe(304)
  })

  it("that are not there are named, with those that are", async () => {
    const { detail } = await refusalOf(await open().send("/api/v1/data/static/nope"), "no-such-table")
    expect(detail).toContain("symbols, sectors")
  })

  it("need a key, and are read only", async () => {
    const client = open()
    const without = await client.answer(new Request("https://larder.test/api/v1/data/static/sectors"))
    await refusalOf(without, "unauthorized")
    const put = await client.send("/api/v1/data/static/sectors", { method: "PUT", body: "{}" })
    await refusalOf(put, "method-not-allowed")
    expect((await client.send("/api/v1/data/static/sectors", { method: "HEAD" })).status).toBe(200)
  })

  it("cost nothing in the ledger, and show in the statistics", async () => {
    const client = open()
    await client.send("/api/v1/data/symbols/AAPL")
    await client.send("/api/v1/data/static/sectors")
    const ledger = (await (await client.send("/api/v1/ledger")).json()) as { total: { kv: Json } }
    expect(ledger.total.kv).toStrictEqual({ reads: 0, writes: 0, deletes: 0, lists: 0 })
    const stats = (await (await client.send("/api/v1/cache/stats")).json()) as { static: Json }
    expect(stats.static.bytes).toBeGreaterThan(0)
    expect(stats.static.bytes).toBeLessThanOrEqual(stats.static.capacityBytes as number)
    expect((stats.static.tables as Array<Json>).find(({ name }) => name === "sectors")?.reads).toBeGreaterThan(0)
  })

  it("in the collection static cannot be written: 405, and in a batch for each key", async () => {
    const client = open()
    client.script.fail = () => "ReadOnly"
    const put = await client.send("/api/v1/cache/static/sectors", { method: "PUT", body: "{}" })
    expect(put.headers.get("Allow")).toBe("GET, HEAD")
    await refusalOf(put, "read-only")
    const reply = await client.sendJson("/api/v1/cache/static/batch", { set: [{ key: "a", value: 1 }], delete: ["b"] })
    const results = (await reply.json()) as Record<string, Array<Json>>
    expect([results.set![0]!.status, results.delete![0]!.status]).toStrictEqual([405, 405])
    expect((await problemOf(await client.send("/api/v1/cache/static", { method: "DELETE" }))).status).toBe(405)
  })
})
