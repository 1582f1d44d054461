import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import * as ReshardWorld from "../../support/durable/reshardWorld.ts"
import { write } from "../../support/durable/shardWrite.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"

const path = "/api/v1/admin/reshard"

/** A client of a Worker with one object, and what happens behind it. */
const opened = async (apiKeys = "test") => {
  const world = await Effect.runPromise(ReshardWorld.make(1))
  const ids = Array.from({ length: 600 }, (_, number) => `things/${number}`)
  await Effect.runPromise(world.isolate().apply(ids.map((id) => write(id))))
  return { world, ...open({ reshard: world, apiKeys }) }
}

describe("reshard", () => {
  it("403: only keys with the scope admin, and nothing is begun for others", async () => {
    const { sendJson, world } = await opened("test=read+write,a=admin")
    await refusalOf(await sendJson(path, { shards: 2, dryRun: false }), "forbidden")
    expect(world.objects.get("shard-0")!.shard.seal()).toBeUndefined()
    const response = await sendJson(path, { shards: 2, dryRun: false }, { headers: { "X-API-KEY": "a" } })
    expect([response.status, await response.json()]).toMatchObject([200, { to: 2, moved: 600, complete: true }])
  })

  it("409: to another number while keys move, which tells the one to go on with; the same goes on", async () => {
    const { sendJson, world } = await opened()
    const begun = await Effect.runPromise(world.reshard({ shards: 3, operations: 0 }))
    expect(begun).toMatchObject({ moved: 500, complete: false })
    for (const dryRun of [true, false]) {
      const problem = await refusalOf(await sendJson(path, { shards: 2, dryRun }), "reshard-under-way")
      expect(problem.detail).toMatch(/^3 /)
    }
    expect(world.objects.get("shard-0")!.shard.seal()).toMatchObject({ phase: "moving", to: { shards: 3 } })
    const response = await sendJson(path, { shards: 3, dryRun: false })
    expect([response.status, await response.json()]).toMatchObject([200, { to: 3, moved: 100, complete: true }])
    const other = await sendJson(path, { shards: 2, dryRun: false })
    expect([other.status, await other.json()]).toMatchObject([200, { from: 3, to: 2, complete: true }])
  })

  it("503 with Retry-After: while an object is out of reach", async () => {
    let cut = false
    const world = await Effect.runPromise(
      ReshardWorld.make(1, { fate: () => ({ kind: cut ? "before" : "done", there: 0, back: 0 }) })
    )
    const { sendJson } = open({ reshard: world })
    cut = true
    const response = await sendJson(path, { shards: 2 })
    expect(response.headers.get("Retry-After")).toBe("5")
    await refusalOf(response, "unavailable")
  })

  it("409: where there are no objects", async () => {
    await refusalOf(await open().sendJson(path, { shards: 2 }), "no-durable-objects")
  })
})
