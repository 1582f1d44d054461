import { describe, expect, it } from "vitest"
import { deployments } from "../../support/deployments.ts"

const { ask, cron, deploy: deployWith, put } = deployments()

const deploy = (flag: "on" | "off"): Promise<void> => deployWith({ FEATURE_FLAG_DO_CACHE: flag })

const get = async (key: string): Promise<string | undefined> => {
  const response = await ask("GET", `cache/default/${key}`)
  const text = await response.text()
  return response.status === 404 ? undefined : text
}

// biome-ignore lint/suspicious/noExplicitAny: the assertions are the types
const migrate = async (body: object): Promise<any> => {
  const response = await ask("POST", "admin/migrate", JSON.stringify(body), "application/json")
  expect(response.status).toBe(200)
  return response.json()
}

/** The end of an entry, as a reader is told it; null for never. */
const endOf = async (id: string): Promise<number | null> => {
  const { headers, status } = await ask("GET", `cache/${id}`)
  expect([id, status]).toStrictEqual([id, 200])
  const expires = headers.get("Expires")
  return expires === null ? null : Date.parse(expires)
}

describe("a user who changes the flag", () => {
  it("finds everything again, there and back, on workerd with one state on disk", async () => {
    await deploy("on")
    await put("kept", "1", "?tags=a")
    await put("changed", "1")
    await put("deleted", "1")
    await put("dead", "1", "?tags=b")
    await put("bytes", "\uFEFFcsv", "?ttl=3600")
    expect((await ask("POST", "cache/invalidate", '{"tags":["b"]}', "application/json")).ok).toBe(true)
    expect(await (await ask("POST", "admin/flush")).json()).toStrictEqual({ flushed: 1 })
    expect(await (await ask("POST", "admin/flush")).json()).toStrictEqual({ flushed: 0 })
    expect(await (await ask("POST", "admin/restore")).json()).toStrictEqual({ taken: 0 })

    await deploy("off")
    expect(await get("kept")).toBeUndefined()
    const said = await migrate({})
    expect(said).toMatchObject({ to: "kv", from: "durable", dryRun: true, entries: 4, copied: 4 })
    expect(said.billed.kv).toStrictEqual({ reads: 5, writes: 5, deletes: 0, lists: 1 })
    expect(await migrate({ dryRun: false })).toMatchObject({ copied: 4, dropped: 0, settled: true, complete: true })

    await deploy("off")
    const kept = await ask("GET", "cache/default/kept")
    expect([await kept.text(), kept.headers.get("Content-Type")]).toStrictEqual(["1", "text/plain"])
    expect(kept.headers.get("Cache-Status")).toMatch(/detail=kv/)
    expect(await get("dead")).toBeUndefined()
    const stored = await ask("GET", "cache/default/bytes")
    expect(new Uint8Array(await stored.arrayBuffer()).slice(0, 3)).toStrictEqual(Uint8Array.of(0xef, 0xbb, 0xbf))
    await put("changed", "2")
    expect((await ask("DELETE", "cache/default/deleted")).status).toBe(204)
    await put("new", "1", "?tags=a")
    expect((await ask("POST", "cache/invalidate", '{"tags":["a"]}', "application/json")).ok).toBe(true)
    await put("newer", "1", "?tags=a")
    expect(await migrate({ dryRun: false })).toMatchObject({ to: "kv", copied: 0 })

    await deploy("on")
    expect(await get("changed")).toBe("1")
    expect(await migrate({ dryRun: false })).toMatchObject({ to: "durable", from: "kv", copied: 2, dropped: 2 })
    await deploy("on")
    const values = await Promise.all(["kept", "changed", "deleted", "dead", "new", "newer"].map(get))
    expect(values).toStrictEqual([undefined, "2", undefined, undefined, undefined, "1"])
    expect((await ask("GET", "cache/default/changed")).headers.get("Cache-Status")).toMatch(/hit/)
  })

  it("need do nothing about it: the next cron sees it", async () => {
    await deploy("on")
    await cron()
    await put("by cron", "1")
    await deploy("off")
    await cron()
    expect(await get("by cron")).toBe("1")
  })

  it("finds what was put without a ttl living for ever, and every other entry with its end", async () => {
    const variables = { COLLECTIONS: '{"hourly": {}, "endless": {"ttl": "forever"}, "pages": {"packed": true}}' }
    const endless = ["default/raw", "default/row", "endless/raw"]
    const ends: Record<string, number | null> = Object.fromEntries(endless.map((id) => [id, null]))
    const write = async (mode: string) => {
      for (const [id, query] of [
        ["default/raw", ""],
        ["endless/raw", ""],
        ["hourly/raw", ""],
        ["pages/raw", ""],
        ["default/day", "?ttl=86400"],
        ["endless/day", "?ttl=86400"]
      ] as const) {
        const expires = (await ask("PUT", `cache/${id}${query}`, mode)).headers.get("Expires")
        expect(expires === null, id).toBe(endless.includes(id))
        ends[id] = expires === null ? null : Date.parse(expires)
      }
      const row = JSON.stringify({ set: [{ key: "row", value: mode }] })
      const reply = await ask("POST", "cache/default/batch", row, "application/json")
      expect(await reply.json()).toMatchObject({ set: [{ key: "row", expiresAt: null }] })
    }
    const check = async () => {
      for (const [id, end] of Object.entries(ends)) expect([id, await endOf(id)]).toStrictEqual([id, end])
    }
    for (const flag of ["on", "off", "on"] as const) {
      await deployWith({ FEATURE_FLAG_DO_CACHE: flag, ...variables })
      await migrate({ dryRun: false })
      if (Object.keys(ends).length > endless.length) await check()
      await write(flag)
      await check()
    }
    expect((await ask("POST", "admin/flush")).status).toBe(200)
    expect((await ask("POST", "admin/restore")).status).toBe(200)
    await deployWith({ FEATURE_FLAG_DO_CACHE: "on", ...variables })
    await check()
  })
})
