import { beforeAll, describe, expect, it } from "vitest"
import { deployments } from "../../support/deployments.ts"

const { ask, deploy, put } = deployments()

/** A cold isolate over the objects as they are. */
const restart = (shards = "1"): Promise<void> =>
  deploy({ FEATURE_FLAG_DO_CACHE: "on", SHARDS: shards, MEMORY_TIER: "false", EDGE_TIER: "false" })

const reshard = (body: object) => ask("POST", "admin/reshard", JSON.stringify(body), "application/json")

const keys = Array.from({ length: 60 }, (_, number) => `k${String(number).padStart(2, "0")}`)

const all = async (): Promise<Record<string, string>> => {
  const found: Record<string, string> = {}
  for (const key of keys) {
    const response = await ask("GET", `cache/default/${key}`)
    const text = await response.text()
    if (response.status !== 404) found[key] = text
  }
  return found
}

const listed = async (): Promise<ReadonlyArray<string>> => {
  const { keys } = (await (await ask("GET", "cache/default?limit=1000")).json()) as { keys: Array<{ key: string }> }
  return keys.map(({ key }) => key)
}

beforeAll(() => restart())

describe("a Worker whose shards become three, and then two", () => {
  it("keeps every entry, delete and invalidation, and finds them from a cold isolate", async () => {
    const expected: Record<string, string> = {}
    for (const [number, key] of keys.entries()) {
      await put(key, `v${number}`, number % 4 === 0 ? "?tags=fourth" : "")
      expected[key] = `v${number}`
    }
    await put("k59", "x".repeat(3_000_000))
    expected.k59 = "x".repeat(3_000_000)
    await ask("DELETE", "cache/default/k01")
    delete expected.k01
    await ask("POST", "cache/invalidate", JSON.stringify({ tags: ["fourth"] }), "application/json")
    for (let number = 0; number < 60; number += 4) delete expected[keys[number]!]

    const said = await reshard({ shards: 3 })
    expect(said.status).toBe(202)
    expect(await said.json()).toMatchObject({ from: 1, to: 3, dryRun: true, moved: 0, left: 60, complete: false })
    expect(await all()).toStrictEqual(expected)

    const done = await reshard({ shards: 3, dryRun: false })
    const report = (await done.json()) as Record<string, unknown>
    expect([done.status, report]).toMatchObject([200, { from: 1, to: 3, moved: 45, left: 0, complete: true }])
    expect(await all()).toStrictEqual(expected)
    expect(await listed()).toStrictEqual(Object.keys(expected).sort())
    expect(await (await reshard({ shards: 3, dryRun: false })).json()).toMatchObject({
      complete: true,
      moved: 0,
      usd: 0
    })

    await put("k02", "new", "?tags=fourth")
    await ask("DELETE", "cache/default/k03")
    expected.k02 = "new"
    delete expected.k03
    await restart()
    expect(await all()).toStrictEqual(expected)

    expect((await reshard({ shards: 2, dryRun: false })).status).toBe(200)
    expect(await all()).toStrictEqual(expected)
    await restart("5")
    expect(await all()).toStrictEqual(expected)
    expect(await listed()).toStrictEqual(Object.keys(expected).sort())
    await put("k04", "again", "?tags=fourth")
    await ask("POST", "cache/invalidate", JSON.stringify({ tags: ["fourth"] }), "application/json")
    delete expected.k02
    expect(await all()).toStrictEqual(expected)
    expect(await (await ask("POST", "admin/restore")).json()).toStrictEqual({ taken: 0 })
    expect(await all()).toStrictEqual(expected)
  })

  it("refuses what is no number of shards", async () => {
    for (const body of [{}, { shards: 0 }, { shards: 65 }, { shards: 1.5 }, { shards: "2" }]) {
      const response = await reshard(body)
      expect(response.status).toBe(422)
      expect(response.headers.get("Content-Type")).toBe("application/problem+json")
    }
  })
})
