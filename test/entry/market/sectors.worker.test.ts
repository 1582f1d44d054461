import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

interface Snapshot {
  readonly asOf: string
  readonly sectors: ReadonlyArray<Record<string, unknown>>
  readonly correlation: ReadonlyArray<ReadonlyArray<number | null>>
  readonly drivers: {
    readonly move: number
    readonly sectors: ReadonlyArray<{ readonly id: string; readonly contribution: number }>
    readonly symbols: ReadonlyArray<unknown>
  }
}

const path = "/api/v1/sectors/snapshot"

const asCheckedOut = env as unknown as Env

const kvMode: Env = { ...asCheckedOut, FEATURE_FLAG_DO_CACHE: "off" }

/** The whole Worker, as in production. */
const send = async (path: string, init: RequestInit = {}, bindings = asCheckedOut): Promise<Response> => {
  const context = createExecutionContext()
  const headers = { "X-API-KEY": "test", ...init.headers } as HeadersInit
  const request = new Request(`https://larder.test${path}`, { ...init, headers })
  const response = await Isolates.serve(bindings)(request, context)
  await waitOnExecutionContext(context)
  return response
}

describe("the snapshot of the sectors", () => {
  it("has all figures of the 11 sectors, and what made the move", async () => {
    const response = await send(`${path}?asOf=2026-03-31`)
    expect(response.status).toBe(200)
    const { asOf, correlation, drivers, sectors } = (await response.json()) as Snapshot
    expect(asOf).toBe("2026-03-31")
    expect(sectors.length).toBe(11)
    for (const sector of sectors) {
      expect(Object.keys(sector)).toStrictEqual(
        "id name etf weight returns volatility breadth momentum relativeStrength quadrant rotation".split(" ")
      )
      expect(Object.keys(sector.returns as object)).toStrictEqual(["1d", "1w", "1m", "3m", "6m", "1y"])
      for (const figure of Object.values(sector.returns as object)) expect(figure).toBeTypeOf("number")
      expect(sector.volatility).toBeGreaterThan(0)
      expect(sector.quadrant).toMatch(/^(leading|weakening|lagging|improving)$/)
    }
    expect(correlation.map((row) => row.length)).toStrictEqual(Array.from({ length: 11 }, () => 11))
    for (const [at, row] of correlation.entries()) expect(row[at]).toBeCloseTo(1, 9)
    const total = drivers.sectors.reduce((sum, { contribution }) => sum + contribution, 0)
    expect(total).toBeCloseTo(drivers.move, 12)
    expect(drivers.symbols.length).toBe(10)
  })

  it("is of the last day that is over where nobody asks for one, and of the day before a holiday", async () => {
    const latest = (await (await send(path)).json()) as Snapshot
    expect(Date.parse(latest.asOf)).toBeLessThan(Date.now())
    const holiday = (await (await send(`${path}?asOf=2025-12-25`)).json()) as Snapshot
    expect(holiday.asOf).toBe("2025-12-24")
  })

  it("of a date that is none, ahead, or beyond the calendar is refused", async () => {
    const client = open()
    for (const [asked, said] of [
      ["2026-02-30", "not a date"],
      ["yesterday", "not a date"],
      ["", "not a date"],
      ["2199-01-01", "lies ahead"],
      ["1999-01-04", "covers 2015"]
    ] as const) {
      const { detail } = await refusalOf(await client.send(`${path}?asOf=${asked}`), "bad-parameter")
      expect(detail).toContain("asOf")
      expect(detail).toContain(said)
    }
    await refusalOf(await client.send(`${path}?asOf=2026-03-30&asOf=2026-03-31`), "bad-parameter")
    await refusalOf(await client.answer(new Request(`https://larder.test${path}`)), "unauthorized")
  })
})

describe("the whole Worker", () => {
  const kvOperations = async (bindings = asCheckedOut) => {
    const ledger = await send("/api/v1/ledger", {}, bindings)
    return ((await ledger.json()) as { total: { kv: Record<string, number> } }).total.kv
  }

  it("answers static data from its own tier, without any KV operation, and takes no write of it", async () => {
    const before = await kvOperations()
    const row = await send("/api/v1/cache/static/symbols%2FAAPL")
    expect(row.headers.get("Cache-Status")).toBe("Larder; hit; detail=static")
    expect(await row.json()).toMatchObject({ symbol: "AAPL", sector: "information-technology" })
    const again = await send("/api/v1/cache/static/symbols%2FAAPL", {
      headers: { "If-None-Match": row.headers.get("ETag")! }
    })
    expect(again.status).toBe(304)
    await refusalOf(await send("/api/v1/cache/static/symbols%2FNOPE"), "no-such-entry")
    await refusalOf(await send("/api/v1/cache/static/symbols%2FAAPL", { method: "DELETE" }), "read-only")
    expect((await send("/api/v1/data/symbols/AAPL")).status).toBe(200)
    expect(await kvOperations()).toStrictEqual(before)
  })

  it("in KV mode keeps the panel of a snapshot as one value", async () => {
    const before = await kvOperations(kvMode)
    for (let time = 0; time < 3; time++) expect((await send(`${path}?asOf=2025-08-29`, {}, kvMode)).status).toBe(200)
    const { reads, writes } = await kvOperations(kvMode)
    expect([reads! - before.reads!, writes! - before.writes!]).toStrictEqual([1, 1])
  })
})
